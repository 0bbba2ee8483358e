# HAProxy on lb1: requests of shop-production go to the servers of shop-production that are ready
usermod -a -G haproxy deploy
test -d /var/lib/cutover-haproxy || install -d -m 755 -o deploy /var/lib/cutover-haproxy
# Then, in the global section of haproxy.cfg, where it does not say so already:
#     stats socket /run/haproxy/admin.sock mode 660 group haproxy level admin
#     server-state-file /var/lib/cutover-haproxy/state
# Then, in a defaults section of haproxy.cfg, where it does not say so already: quiet websockets end after `timeout server` without it:
#     timeout tunnel 1h
# Then, in its backend shop-production; what is live already goes without `disabled`:
#     load-server-state-from-file global
#     option httpchk GET /up
#     default-server check inter 2s fastinter 250ms downinter 500ms rise 2 fall 3
#     server blue-web1 10.0.0.11:4001 disabled
#     server blue-web2 [fd00::12]:4001 disabled
#     server green-web1 10.0.0.11:4002 disabled
#     server green-web2 [fd00::12]:4002 disabled
# and: haproxy -c -f /etc/haproxy/haproxy.cfg && systemctl reload haproxy
