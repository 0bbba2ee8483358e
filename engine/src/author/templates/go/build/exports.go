package hook

import (
	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/@NAME@/contract/build"
	"local/@NAME@/contract/hook_types"
)

// Validate is what the engine asks before anything runs.
func Validate(settings string) []hook_types.SettingFault {
	return read(settings)
}

// Run is what the engine asks once.
func Run(call hook_types.Call, source build.Source) witTypes.Result[build.Artifact, hook_types.HookError] {
	return answering(func() (build.Artifact, error) { return run(call, source) })
}
