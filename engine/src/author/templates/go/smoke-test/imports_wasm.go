package hook

import (
	"local/@NAME@/contract/engine"
	"local/@NAME@/contract/http_client"
)

func init() {
	send = http_client.Send
	elapsedMs = engine.ElapsedMs
}
