# Traefik on lb1: /etc/traefik/dynamic/cutover-shop.yml says where requests of shop go. Who may write in its directory configures Traefik as a whole:
# deploy can have it serve anything there.
test -d /etc/traefik/dynamic || install -d -m 755 -o deploy /etc/traefik/dynamic
runuser -u deploy -- sh -c 'test -e /etc/traefik/dynamic/cutover-shop.yml || cat > /etc/traefik/dynamic/cutover-shop.yml' <<'CUTOVER'
# Written by cutover, as a whole, with each switch: what is changed here by hand is lost.
http:
  services:
    cutover-shop:
      weighted:
        services:
          - name: cutover-shop.blue
            weight: 0
          - name: cutover-shop.green
            weight: 0
    cutover-shop.blue:
      loadBalancer:
        servers:
          - url: "http://10.0.0.11:4001"
    cutover-shop.green:
      loadBalancer:
        servers:
          - url: "http://10.0.0.11:4002"
CUTOVER
# Traefik's own configuration needs this, and a restart where it is new:
#     providers:
#       providersThrottleDuration: 100ms   # two changes are 2 s apart without it
#       file:
#         directory: /etc/traefik/dynamic
#     entryPoints:
#       traefik:
#         address: 127.0.0.1:8080
#     api:
#       insecure: true   # whoever is on this host can look at it, and change nothing
# And the router of shop, in another file of that directory:
#     http:
#       routers:
#         shop:
#           rule: Host(`shop.example.com`)
#           service: cutover-shop
# Elsewhere, as in labels of containers, that service is called cutover-shop@file
