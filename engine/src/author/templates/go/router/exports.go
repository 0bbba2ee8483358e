package hook

import (
	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/@NAME@/contract/hook_types"
	"local/@NAME@/contract/router"
)

// Validate is what the engine asks before anything runs.
func Validate(settings string) []hook_types.SettingFault {
	_, faults := read(settings)
	return faults
}

// Features is what the engine asks once.
func Features(call hook_types.Call) witTypes.Result[[]string, hook_types.HookError] {
	return answering(func() ([]string, error) { return features(call) })
}

// Observe is what the engine asks again and again.
func Observe(call hook_types.Call, name string) witTypes.Result[router.Observation, hook_types.HookError] {
	return answering(func() (router.Observation, error) { return observe(call, name) })
}

// Prepare is what the engine asks before it changes anything.
func Prepare(call hook_types.Call, name string, want router.Routing) witTypes.Result[string, hook_types.HookError] {
	return answering(func() (string, error) { return prepare(call, name, want) })
}

// Apply is how the engine changes what the router does.
func Apply(call hook_types.Call, name string, want router.Routing) witTypes.Result[witTypes.Unit, hook_types.HookError] {
	return answering(func() (done witTypes.Unit, err error) { return done, apply(call, name, want) })
}

// Discard is how the engine takes back what was only prepared.
func Discard(call hook_types.Call, name string) witTypes.Result[witTypes.Unit, hook_types.HookError] {
	return answering(func() (done witTypes.Unit, err error) { return done, discard(call, name) })
}

// Connections is what the engine asks of a colour that no longer gets requests.
func Connections(call hook_types.Call, name string, color hook_types.Color) witTypes.Result[witTypes.Option[uint32], hook_types.HookError] {
	return answering(func() (witTypes.Option[uint32], error) { return connections(call, name, color) })
}
