// Package hook turns a checkout into an artifact, on the host that builds.
package hook

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/@NAME@/contract/build"
	"local/@NAME@/contract/hook_types"
	"local/@NAME@/contract/hosts"
)

// What the hook asks of the engine: in a component, imports_wasm.go says what does it, and in a test, the test.
var exec func(host string, command hosts.Command) witTypes.Result[hosts.Output, hosts.HostError]

// read is the faults of the settings table in cutover.toml, asked before anything runs.
func read(settings string) (faults []hook_types.SettingFault) {
	var keys map[string]any
	if err := json.Unmarshal([]byte(settings), &keys); err != nil {
		panic(err)
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		faults = append(faults, hook_types.SettingFault{Key: key, Reason: "there are no settings"})
	}
	return faults
}

func run(_ hook_types.Call, source build.Source) (artifact build.Artifact, err error) {
	return artifact, program("/bin/cp", "-R", source.Checkout+"/.", source.Output)
}

// program has to end with status 0. There is no shell.
func program(path string, args ...string) error {
	output, err := got(exec("builder", hosts.Command{Program: path, Args: args}), hostError)
	if err != nil {
		return err
	}
	if output.Status != 0 {
		return fmt.Errorf("`%s` ended with status %d\n%s", path, output.Status, output.Errors)
	}
	return nil
}
