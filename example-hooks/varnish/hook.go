// Package hook switches Varnish: the label that its configuration returns to for an application points to one VCL of each colour, and a file
// says the same to the next start.
package hook

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	witTypes "go.bytecodealliance.org/pkg/wit/types"
	"local/varnish/contract/hook_types"
	"local/varnish/contract/hosts"
	"local/varnish/contract/router"
)

// What the hook asks of the engine: in a component, imports_wasm.go says what does it, and in a test, the test.
var (
	exec      func(host string, command hosts.Command) witTypes.Result[hosts.Output, hosts.HostError]
	readText  func(host, path string) witTypes.Result[string, hosts.HostError]
	writeText func(host, path, content string, mode witTypes.Option[uint32]) witTypes.Result[witTypes.Unit, hosts.HostError]
)

// settings is the table of cutover.toml.
type settings struct {
	// Directory with the VCLs and the file.
	directory string
	// Instance of varnishd, as in `-n`; its default one where empty.
	instance string
}

// read is asked before anything runs, too.
func read(text string) (found settings, faults []hook_types.SettingFault) {
	found.directory = "/etc/varnish/cutover"
	var keys map[string]any
	if err := json.Unmarshal([]byte(text), &keys); err != nil {
		panic(err)
	}
	for _, key := range slices.Sorted(maps.Keys(keys)) {
		fault := func(format string, values ...any) {
			faults = append(faults, hook_types.SettingFault{Key: key, Reason: fmt.Sprintf(format, values...)})
		}
		value, isText := keys[key].(string)
		switch {
		case key != "directory" && key != "instance":
			fault("there is no such key: `directory` and `instance` are accepted")
		case !isText || !strings.HasPrefix(value, "/"):
			fault("`%v` is no absolute path", keys[key])
		case key == "directory":
			found.directory = value
		default:
			found.instance = value
		}
	}
	return found, faults
}

// shares is what a label can point to, by the end of its name: percent for each colour.
var shares = map[string]router.Routing{"blue": {Blue: 100}, "green": {Green: 100}, "none": {}}

// varnish is one application's part of one Varnish.
type varnish struct {
	settings
	host string
	// The label, and what the names of its VCLs begin with.
	label string
}

func of(call hook_types.Call, host string) varnish {
	found, _ := read(call.Settings)
	return varnish{found, host, strings.ReplaceAll(call.App, ".", "_")}
}

func (v varnish) file() string {
	return v.directory + "/" + v.label + ".cli"
}

// line is what makes a colour live: now as a command, and at the next start as what is in the file.
func (v varnish) line(color string) string {
	return fmt.Sprintf("vcl.label %s %s_%s\n", v.label, v.label, color)
}

// admin asks Varnish.
func (v varnish) admin(words ...string) (string, error) {
	args := words
	if v.instance != "" {
		args = append([]string{"-n", v.instance}, words...)
	}
	output, err := got(exec(v.host, hosts.Command{Program: "/usr/bin/varnishadm", Args: args}), hostError)
	if err != nil {
		return "", err
	}
	if output.Status != 0 {
		said := strings.TrimSpace(output.Errors + output.Out)
		// It does not run, or is not there yet.
		return "", temporary("`varnishadm %s` ended with status %d: %s", strings.Join(words, " "), output.Status, said)
	}
	return output.Out, nil
}

// live is the colour that the label points to, empty where there is no label, and the names of all that is loaded.
func (v varnish) live() (color string, loaded []string, err error) {
	list, err := v.admin("vcl.list")
	if err != nil {
		return "", nil, err
	}
	for line := range strings.Lines(list) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		// available  auto  warm  0  shop_blue  <-  (1 label)
		// available  label warm  0  shop       ->  shop_blue
		at := slices.Index(fields, "->")
		if at < 1 {
			loaded = append(loaded, fields...)
		} else if fields[at-1] == v.label && at+1 < len(fields) {
			color = strings.TrimPrefix(fields[at+1], v.label+"_")
		}
	}
	if _, known := shares[color]; color != "" && !known {
		return "", nil, fmt.Errorf("the label `%s` points to what is not this hook's: `%s`", v.label, color)
	}
	return color, loaded, nil
}

// written is what the file says.
func (v varnish) written() (string, error) {
	answer := readText(v.host, v.file())
	if answer.IsErr() && answer.Err().Tag() == hosts.HostError_NotFound {
		return "", nil
	}
	return got(answer, hostError)
}

func features(hook_types.Call) ([]string, error) {
	return []string{"maintenance"}, nil
}

func observe(call hook_types.Call, host string) (seen router.Observation, err error) {
	v := of(call, host)
	color, _, err := v.live()
	if err != nil {
		return seen, err
	}
	if color == "" {
		return router.Observation{Settled: true}, nil
	}
	written, err := v.written()
	if err != nil {
		return seen, err
	}
	seen.Routing = witTypes.Some(shares[color])
	// Otherwise a restart would go back.
	seen.Settled = written == v.line(color)
	seen.Labels = []witTypes.Tuple2[string, string]{{F0: "vcl", F1: v.label + "_" + color}}
	return seen, nil
}

func prepare(call hook_types.Call, host string, want router.Routing) (string, error) {
	v := of(call, host)
	for _, fact := range call.Facts {
		if fact.F0 == "setup" {
			return v.setup(call, fact.F1), nil
		}
	}
	then, err := wanted(want)
	if err != nil {
		return "", err
	}
	now, loaded, err := v.live()
	if err != nil {
		return "", err
	}
	if !slices.Contains(loaded, v.label+"_"+then) {
		return "", fmt.Errorf("Varnish on `%s` has not loaded `%s_%s`\nhint: cutover setup", host, v.label, then)
	}
	written, err := v.written()
	if err != nil || now == then && written == v.line(then) {
		return "", err
	}
	change := "+" + v.line(then)
	if now != "" {
		change = "-" + v.line(now) + change
	}
	return change, nil
}

func apply(call hook_types.Call, host string, want router.Routing) error {
	v := of(call, host)
	then, err := wanted(want)
	if err != nil {
		return err
	}
	// What was cached of an earlier release that had this colour.
	if _, err := v.admin("ban", "obj.http.x-cutover", "==", v.label+"_"+then); err != nil {
		return err
	}
	// The file first: a restart between the two goes where the label is about to.
	if _, err := got(writeText(host, v.file(), v.line(then), witTypes.None[uint32]()), hostError); err != nil {
		return err
	}
	_, err = v.admin(strings.Fields(v.line(then))...)
	return err
}

func discard(hook_types.Call, string) error {
	return nil
}

// connections are none: Varnish counts those of an instance, and not of a label.
func connections(hook_types.Call, string, hook_types.Color) (witTypes.Option[uint32], error) {
	return witTypes.None[uint32](), nil
}

// wanted is the colour. `features` names neither `weights` nor `hosts`, so nothing else is asked than what `shares` has.
func wanted(want router.Routing) (string, error) {
	for color, share := range shares {
		if share.Blue == want.Blue && share.Green == want.Green {
			return color, nil
		}
	}
	return "", errors.New("Varnish can't share requests between labels")
}

// setup is what has to be installed once.
func (v varnish) setup(call hook_types.Call, user string) string {
	var script strings.Builder
	put := func(format string, values ...any) { fmt.Fprintf(&script, format+"\n", values...) }
	put("# Varnish on %s: the colour of %s is where the label %s points", v.host, call.App, v.label)
	put("install -d -o %s %s", user, v.directory)
	for _, color := range []string{"blue", "green", "none"} {
		put("cat > %s/%s_%s.vcl <<'CUTOVER'", v.directory, v.label, color)
		script.WriteString(v.vcl(call, color))
		put("CUTOVER")
	}
	put("test -e %[1]s || { echo '%[2]s' > %[1]s && chown %[3]s %[1]s; }", v.file(), strings.TrimSpace(v.line("none")), user)
	put("# Then, in /etc/varnish/start.cli, before the VCL that all begins in:")
	for _, color := range []string{"blue", "green", "none"} {
		put("#     vcl.load %[1]s_%[2]s %[3]s/%[1]s_%[2]s.vcl", v.label, color, v.directory)
	}
	put("#     %s", strings.TrimSpace(v.line("none")))
	put("# in the VCL that all begins in:")
	put("#     sub vcl_recv { return (vcl(%s)); }", v.label)
	put("# and, so that a start goes on with the colour that was live, by `systemctl edit varnish`:")
	put("#     [Service]")
	put("#     ExecStartPre=/bin/sh -c 'cat /etc/varnish/start.cli %s/*.cli > /run/varnish.cli'", v.directory)
	put("#     ExecStart=")
	put("#     ExecStart=/usr/sbin/varnishd -I /run/varnish.cli -f '' (and what was there)")
	return script.String()
}

// vcl is that of one colour. What one has cached is not the other's.
func (v varnish) vcl(call hook_types.Call, color string) string {
	if color == "none" {
		return "vcl 4.1;\nbackend none none;\nsub vcl_recv { return (synth(503)); }\n"
	}
	var backends, added strings.Builder
	for _, instance := range call.Instances {
		isOurs := instance.Color == hook_types.Color_Blue == (color == "blue")
		if isOurs {
			name := strings.Map(func(c rune) rune {
				if c == '-' || c == '.' {
					return '_'
				}
				return c
			}, instance.Host)
			fmt.Fprintf(&backends, "backend %s { .host = \"%s\"; .port = \"%d\"; }\n", name, instance.Address, instance.Port)
			fmt.Fprintf(&added, "    all.add_backend(%s);\n", name)
		}
	}
	return "vcl 4.1;\nimport directors;\n" + backends.String() +
		"sub vcl_init {\n    new all = directors.round_robin();\n" + added.String() + "}\n" +
		"sub vcl_recv { set req.backend_hint = all.backend(); }\n" +
		"sub vcl_hash { hash_data(\"" + color + "\"); }\n" +
		"sub vcl_backend_response { set beresp.http.x-cutover = \"" + v.label + "_" + color + "\"; }\n" +
		"sub vcl_deliver { unset resp.http.x-cutover; }\n"
}
