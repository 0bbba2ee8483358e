# Caddy on lb1: the colour of shop-production is a file in /var/lib/cutover-caddy/shop-production
test -d /var/lib/cutover-caddy/shop-production || install -d -m 755 -o deploy /var/lib/cutover-caddy/shop-production
mkdir -p /etc/caddy/cutover
cat > /etc/caddy/cutover/shop-production.caddy <<'CUTOVER'
# Written by `cutover setup`. Change cutover.toml, and print it again, when hosts or ports change.

# The colour of each request is named by a file.
(cutover-shop-production) {
	@cutover-shop-production-green file {
		root /var/lib/cutover-caddy/shop-production
		try_files /green
	}
	@cutover-shop-production-blue file {
		root /var/lib/cutover-caddy/shop-production
		try_files /blue
	}
	route {
		reverse_proxy @cutover-shop-production-green 10.0.0.11:4002 [fd00::12]:4002 {
			lb_try_duration 5s
			fail_duration 1s
			transport http {
				dial_timeout 2s
			}
		}
		reverse_proxy @cutover-shop-production-blue 10.0.0.11:4001 [fd00::12]:4001 {
			lb_try_duration 5s
			fail_duration 1s
			transport http {
				dial_timeout 2s
			}
		}
		respond 503
	}
}

# Asked by cutover before, while and after it switches.
http://cutover-shop-production:8097 {
	bind 127.0.0.1
	@probe file {
		root /var/lib/cutover-caddy/shop-production
		try_files /probe
	}
	@green file {
		root /var/lib/cutover-caddy/shop-production
		try_files /green
	}
	@blue file {
		root /var/lib/cutover-caddy/shop-production
		try_files /blue
	}
	route {
		vars probe no
		vars @probe probe yes
		vars color none
		vars @blue color blue
		vars @green color green
		respond "cutover 1 shop-production
color {vars.color}
probe {vars.probe}
blue 10.0.0.11:4001 [fd00::12]:4001
green 10.0.0.11:4002 [fd00::12]:4002
"
	}
}
CUTOVER
# Then, in the Caddyfile, after the global options:
#     import /etc/caddy/cutover/shop-production.caddy
# and in the site of shop-production:
#     import cutover-shop-production
# and: caddy validate --config /etc/caddy/Caddyfile && systemctl reload caddy
