// Package hook says whether one instance is healthy: it is asked again and again, until it is or the time is up.
package hook

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/@NAME@/contract/health_check"
	"local/@NAME@/contract/hook_types"
	"local/@NAME@/contract/http_client"
)

// What the hook asks of the engine: in a component, imports_wasm.go says what does it, and in a test, the test.
var send func(http_client.Request) witTypes.Result[http_client.Response, http_client.HttpError]

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

func check(call hook_types.Call, instance hook_types.Instance) (health health_check.Health, err error) {
	path, _ := read(call.Settings)
	answer := get(instance, path)
	if answer.IsErr() {
		why := answer.Err()
		if why.Tag() == http_client.HttpError_Denied {
			return health, httpError(why)
		}
		return health_check.MakeHealthStarting(httpError(why).Error()), nil
	}
	switch status := answer.Ok().Status; status {
	case 200:
		return health_check.MakeHealthHealthy(release(call, answer.Ok())), nil
	case 503:
		return health_check.MakeHealthStarting("answers 503"), nil
	default:
		return health_check.MakeHealthUnhealthy(fmt.Sprintf("answers %d", status)), nil
	}
}

// release is what the instance says that it runs, where the configuration names a header for it.
func release(call hook_types.Call, answer http_client.Response) witTypes.Option[string] {
	for _, fact := range call.Facts {
		for _, header := range answer.Headers {
			if fact.F0 == "marker-header" && strings.EqualFold(header.F0, fact.F1) {
				return witTypes.Some(header.F1)
			}
		}
	}
	return witTypes.None[string]()
}

@GET@
