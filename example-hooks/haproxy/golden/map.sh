# HAProxy on lb1: how many percent of the requests of shop-production go to green is a line in /var/lib/cutover-haproxy/shop-production/green.map
test -d /var/lib/cutover-haproxy/shop-production || install -d -m 755 -o deploy /var/lib/cutover-haproxy/shop-production
runuser -u deploy -- sh -c 'test -e /var/lib/cutover-haproxy/shop-production/green.map || cat > /var/lib/cutover-haproxy/shop-production/green.map' <<'CUTOVER'
# Written by cutover: how many percent of the requests of shop-production go to green, and all others to blue; -1: to no colour (503).
shop-production -1
CUTOVER
usermod -a -G haproxy deploy
mkdir -p /etc/haproxy
cat > /etc/haproxy/cutover-shop-production.cfg <<'CUTOVER'
# Written by `cutover setup`. Change cutover.toml, and print it again, when hosts or ports change.

backend shop-production-blue
    mode http
    option forwardfor
    default-server check inter 2s fastinter 250ms downinter 500ms rise 2 fall 3
    server web1 10.0.0.11:4001
    server web2 [fd00::12]:4001

backend shop-production-green
    mode http
    option forwardfor
    default-server check inter 2s fastinter 250ms downinter 500ms rise 2 fall 3
    server web1 10.0.0.11:4002
    server web2 [fd00::12]:4002
CUTOVER
# Then, in the global section of haproxy.cfg, where it does not say so already:
#     stats socket /run/haproxy/admin.sock mode 660 group haproxy level admin
# Then, in a defaults section of haproxy.cfg, where it does not say so already: quiet websockets end after `timeout server` without it:
#     timeout tunnel 1h
# Then, in its frontend of shop-production:
#     http-request set-var(txn.cutover.shop.production) str(shop-production),map_str_int(/var/lib/cutover-haproxy/shop-production/green.map,-1)
#     http-request deny deny_status 503 if { var(txn.cutover.shop.production) -m int lt 0 }
#     use_backend shop-production-green if { rand(100),sub(txn.cutover.shop.production) -m int lt 0 }
#     use_backend shop-production-blue
# Then, let HAProxy read the backends, too, in /etc/default/haproxy:
#     EXTRAOPTS="-S /run/haproxy-master.sock -f /etc/haproxy/cutover-shop-production.cfg"
# and: systemctl restart haproxy
