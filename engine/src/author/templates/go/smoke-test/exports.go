package hook

import (
	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/@NAME@/contract/hook_types"
	"local/@NAME@/contract/smoke_test"
)

// Validate is what the engine asks before anything runs.
func Validate(settings string) []hook_types.SettingFault {
	_, faults := read(settings)
	return faults
}

// Run is what the engine asks once.
func Run(call hook_types.Call) witTypes.Result[[]smoke_test.TestCase, hook_types.HookError] {
	return answering(func() ([]smoke_test.TestCase, error) { return run(call) })
}
