// Package hook moves traffic: a balancer that tells and takes its live colour at one URL.
package hook

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/@NAME@/contract/hook_types"
	"local/@NAME@/contract/http_client"
	"local/@NAME@/contract/router"
)

// What the hook asks of the engine: in a component, imports_wasm.go says what does it, and in a test, the test.
var send func(http_client.Request) witTypes.Result[http_client.Response, http_client.HttpError]

// What the balancer can be told: percent for each colour.
var shares = map[string]router.Routing{"blue": {Blue: 100}, "green": {Green: 100}, "none": {}}

// read is the URL that the settings table in cutover.toml names, and its faults: asked before anything runs.
func read(settings string) (url string, faults []hook_types.SettingFault) {
	var keys map[string]any
	if err := json.Unmarshal([]byte(settings), &keys); err != nil {
		panic(err)
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if key != "url" {
			faults = append(faults, hook_types.SettingFault{Key: key, Reason: "there is no such key: `url` is accepted"})
		}
	}
	url, _ = keys["url"].(string)
	if !strings.HasPrefix(url, "http://") && !strings.HasPrefix(url, "https://") {
		reason := fmt.Sprintf("`%s` is no URL: `http://…` or `https://…`", url)
		faults = append(faults, hook_types.SettingFault{Key: "url", Reason: reason})
	}
	return url, faults
}

// features is what the balancer can do beyond all requests to one colour: none at all.
func features(hook_types.Call) ([]string, error) {
	return []string{"maintenance"}, nil
}

// observe is what the balancer does now. Nothing may be changed here: the engine refuses every method but GET and HEAD.
func observe(call hook_types.Call, name string) (seen router.Observation, err error) {
	live, err := ask(call, name, "GET", "")
	if err != nil {
		return seen, err
	}
	return router.Observation{Routing: witTypes.Some(shares[live]), Settled: true}, nil
}

// prepare is what would change, for people.
func prepare(call hook_types.Call, name string, want router.Routing) (string, error) {
	// The once-only set-up is asked for without a router to speak to.
	for _, fact := range call.Facts {
		if fact.F0 == "setup" {
			return "# nothing has to be installed: the balancer is told over HTTP\n", nil
		}
	}
	now, err := ask(call, name, "GET", "")
	if err != nil {
		return "", err
	}
	then, err := wanted(want)
	if err != nil || now == then {
		return "", err
	}
	return fmt.Sprintf("-%s\n+%s\n", now, then), nil
}

func apply(call hook_types.Call, name string, want router.Routing) error {
	word, err := wanted(want)
	if err == nil {
		_, err = ask(call, name, "PUT", word)
	}
	return err
}

func discard(hook_types.Call, string) error {
	return nil
}

// connections are none: the balancer can't tell.
func connections(hook_types.Call, string, hook_types.Color) (witTypes.Option[uint32], error) {
	return witTypes.None[uint32](), nil
}

// wanted is the word for it. `features` names neither `weights` nor `hosts`, so nothing else is asked than what `shares` has.
func wanted(want router.Routing) (string, error) {
	for word, share := range shares {
		if share.Blue == want.Blue && share.Green == want.Green {
			return word, nil
		}
	}
	return "", errors.New("the balancer can't share requests")
}

// ask is what the balancer says is live, after it was told or only asked.
func ask(call hook_types.Call, name, method, word string) (live string, err error) {
	url, _ := read(call.Settings)
	request := http_client.Request{
		Method:    method,
		Url:       url,
		Via:       witTypes.Some(name),
		TimeoutMs: witTypes.Some(uint32(5000)),
	}
	if word != "" {
		request.Body = witTypes.Some([]byte(word))
	}
	answer, err := got(send(request), httpError)
	switch {
	case err != nil:
		return "", err
	case answer.Status >= 500:
		return "", temporary("%s %s answered %d", method, url, answer.Status)
	case answer.Status != 200:
		return "", fmt.Errorf("%s %s answered %d", method, url, answer.Status)
	}
	live = strings.TrimSpace(answer.Text)
	if _, known := shares[live]; !known {
		return "", fmt.Errorf("the balancer names no colour: `%s`", live)
	}
	return live, nil
}
