// Package hook does what its settings say, in Go. What it answers is the same in every language.
package hook

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/@NAME@/contract/hook_types"
	"local/@NAME@/contract/hosts"
	"local/@NAME@/contract/http_client"
)

type settings struct{ Case, URL string }

// Validate finds the fault of settings without a case.
func Validate(text string) []hook_types.SettingFault {
	var found settings
	if err := json.Unmarshal([]byte(text), &found); err != nil {
		panic(err)
	}
	if found.Case == "" {
		return []hook_types.SettingFault{{Reason: "missing field `case`"}}
	}
	return nil
}

// told is an answer as the contract has it. What a function panics with, nobody catches.
func told[T any](value T, err error) witTypes.Result[T, hook_types.HookError] {
	var known failure
	switch {
	case err == nil:
		return witTypes.Ok[T, hook_types.HookError](value)
	case errors.As(err, &known):
		return witTypes.Err[T](known.answer)
	default:
		return witTypes.Err[T](hook_types.MakeHookErrorFailed(err.Error()))
	}
}

func get(url string) (http_client.Response, error) {
	return got(http_client.Send(http_client.Request{Method: "GET", Url: url}), httpError)
}

func act(call hook_types.Call) (string, error) {
	var wanted settings
	if err := json.Unmarshal([]byte(call.Settings), &wanted); err != nil {
		panic(err)
	}
	switch wanted.Case {
	case "answers":
		return "hello", nil
	case "denied":
		return "", denied("not for me\nhint: ask for it")
	case "temporary":
		return "", temporary("later")
	case "failed":
		return "", errors.New("broken")
	case "other":
		reason := witTypes.Tuple2[string, string]{F0: "E42", F1: "strange"}
		return "", failure{hook_types.MakeHookErrorOther(reason)}
	case "crash":
		panic("nobody expects this")
	case "refused":
		_, err := get("http://192.0.2.1/")
		return "", err
	case "http":
		answer, err := get(wanted.URL)
		return fmt.Sprintf("%d %s", answer.Status, answer.Text), err
	default:
		command := hosts.Command{Program: "/bin/echo", Args: []string{"hello"}}
		output, err := got(hosts.Exec("web1", command), hostError)
		return fmt.Sprintf("%d %s", output.Status, strings.TrimSpace(output.Out)), err
	}
}
