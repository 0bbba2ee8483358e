package hook

import (
	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/@NAME@/contract/health_check"
	"local/@NAME@/contract/hook_types"
)

// Validate is what the engine asks before anything runs.
func Validate(settings string) []hook_types.SettingFault {
	_, faults := read(settings)
	return faults
}

// Check is what the engine asks of an instance.
func Check(call hook_types.Call, instance hook_types.Instance) witTypes.Result[health_check.Health, hook_types.HookError] {
	return answering(func() (health_check.Health, error) { return check(call, instance) })
}
