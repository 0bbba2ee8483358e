package hook

import (
	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/@NAME@/contract/health_check"
	"local/@NAME@/contract/hook_types"
)

// Check looks at an instance.
func Check(call hook_types.Call, _ hook_types.Instance) witTypes.Result[health_check.Health, hook_types.HookError] {
	text, err := act(call)
	return told(health_check.MakeHealthStarting(text), err)
}
