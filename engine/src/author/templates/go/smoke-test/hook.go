// Package hook tests the idle colour before it gets traffic.
package hook

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/@NAME@/contract/hook_types"
	"local/@NAME@/contract/http_client"
	"local/@NAME@/contract/smoke_test"
)

// What the hook asks of the engine: in a component, imports_wasm.go says what does it, and in a test, the test.
var (
	send      func(http_client.Request) witTypes.Result[http_client.Response, http_client.HttpError]
	elapsedMs func() uint32
)

// read is the path that the settings table in cutover.toml names, and its faults: asked before anything runs.
func read(settings string) (path string, faults []hook_types.SettingFault) {
	path = "/"
	var keys map[string]any
	if err := json.Unmarshal([]byte(settings), &keys); err != nil {
		panic(err)
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		if key != "path" {
			faults = append(faults, hook_types.SettingFault{Key: key, Reason: "there is no such key: `path` is accepted"})
			continue
		}
		path = fmt.Sprint(keys[key])
		if !strings.HasPrefix(path, "/") {
			faults = append(faults, hook_types.SettingFault{Key: key, Reason: fmt.Sprintf("`%s` does not begin with `/`", path)})
		}
	}
	return path, faults
}

func run(call hook_types.Call) (cases []smoke_test.TestCase, err error) {
	path, _ := read(call.Settings)
	for _, instance := range call.Instances {
		begun := elapsedMs()
		answer, err := got(get(instance, path), httpError)
		if err != nil {
			return nil, err
		}
		outcome := smoke_test.MakeOutcomePassed()
		if answer.Status != 200 {
			outcome = smoke_test.MakeOutcomeFailed(fmt.Sprintf("answers %d", answer.Status))
		}
		cases = append(cases, smoke_test.TestCase{
			Name:       path + " on " + instance.Host,
			Outcome:    outcome,
			DurationMs: elapsedMs() - begun,
		})
	}
	return cases, nil
}

@GET@
