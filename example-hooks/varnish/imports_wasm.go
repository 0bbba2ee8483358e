package hook

import "local/varnish/contract/hosts"

func init() {
	exec, readText, writeText = hosts.Exec, hosts.ReadText, hosts.WriteText
}
