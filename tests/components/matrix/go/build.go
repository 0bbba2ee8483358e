package hook

import (
	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/@NAME@/contract/build"
	"local/@NAME@/contract/hook_types"
)

// Run builds.
func Run(call hook_types.Call, source build.Source) witTypes.Result[build.Artifact, hook_types.HookError] {
	version, err := act(call)
	labels := []witTypes.Tuple2[string, string]{{F0: "branch", F1: source.Branch}}
	return told(build.Artifact{Path: "dist", Version: witTypes.Some(version), Labels: labels}, err)
}
