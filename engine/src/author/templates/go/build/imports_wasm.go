package hook

import "local/@NAME@/contract/hosts"

func init() {
	exec = hosts.Exec
}
