# HAProxy on lb1: requests of shop-production go to the servers of web that are ready
# Then, in the global section of haproxy.cfg, where it does not say so already:
#     stats socket /run/haproxy/admin.sock mode 660 group haproxy level admin
# Then, in a defaults section of haproxy.cfg, where it does not say so already: quiet websockets end after `timeout server` without it:
#     timeout tunnel 1h
# Then, in its backend web; what is live already goes without `disabled`:
#     default-server check inter 2s fastinter 250ms downinter 500ms rise 2 fall 3
#     server shop-blue-web1 10.0.0.11:4001 disabled
#     server shop-blue-web2 [fd00::12]:4001 disabled
#     server shop-green-web1 10.0.0.11:4002 disabled
#     server shop-green-web2 [fd00::12]:4002 disabled
# and: haproxy -c -f /etc/haproxy/haproxy.cfg && systemctl reload haproxy
