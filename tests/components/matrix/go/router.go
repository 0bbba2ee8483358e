package hook

import (
	"fmt"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/@NAME@/contract/hook_types"
	"local/@NAME@/contract/router"
)

// Features are two.
func Features(hook_types.Call) witTypes.Result[[]string, hook_types.HookError] {
	return told([]string{"weights", "hosts"}, nil)
}

// Observe sees a share, and a host that is out.
func Observe(_ hook_types.Call, name string) witTypes.Result[router.Observation, hook_types.HookError] {
	routing := router.Routing{Blue: 25, Green: 75, Out: []string{"web1"}}
	labels := []witTypes.Tuple2[string, string]{{F0: "router", F1: name}}
	return told(router.Observation{Routing: witTypes.Some(routing), Settled: true, Labels: labels}, nil)
}

// Prepare does what the settings say.
func Prepare(call hook_types.Call, _ string, _ router.Routing) witTypes.Result[string, hook_types.HookError] {
	return told(act(call))
}

// Apply takes green alone.
func Apply(_ hook_types.Call, _ string, want router.Routing) witTypes.Result[witTypes.Unit, hook_types.HookError] {
	if want.Green != 100 {
		return told(witTypes.Unit{}, fmt.Errorf("green %d", want.Green))
	}
	return told(witTypes.Unit{}, nil)
}

// Discard has nothing to do.
func Discard(hook_types.Call, string) witTypes.Result[witTypes.Unit, hook_types.HookError] {
	return told(witTypes.Unit{}, nil)
}

// Connections counts those to blue.
func Connections(_ hook_types.Call, _ string, color hook_types.Color) witTypes.Result[witTypes.Option[uint32], hook_types.HookError] {
	if color == hook_types.Color_Blue {
		return told(witTypes.Some(uint32(3)), nil)
	}
	return told(witTypes.None[uint32](), nil)
}
