# The front door on lb1: cutover's own proxy, which also shop is behind
# It is this very program. Where it is not there yet, bring it from where you run cutover, HOST being what `ssh` reaches lb1 by:
#     scp "$(command -v cutover)" HOST:cutover && ssh -t HOST sudo install -m 755 cutover /usr/local/bin/cutover
if ! test -x /usr/local/bin/cutover; then
    echo 'there is no /usr/local/bin/cutover: bring it as the lines above say' >&2
    exit 1
fi
test -d /var/lib/cutover-proxy || install -d -m 700 -o deploy /var/lib/cutover-proxy
cat > /etc/systemd/system/cutover-proxy.service <<'CUTOVER'
# Written by `cutover setup`.
[Unit]
Description=cutover proxy
Wants=network-online.target
After=network-online.target
StartLimitIntervalSec=0

[Service]
Type=notify
# A reload starts the program anew: that process is the unit's from then on.
NotifyAccess=all
ExecStart=/usr/local/bin/cutover proxy run --listen 0.0.0.0:80 --directory /var/lib/cutover-proxy
ExecReload=/bin/kill -HUP $MAINPID
Restart=always
RestartSec=500ms
TimeoutStopSec=40s
User=deploy
UMask=0077
LimitNOFILE=65536
AmbientCapabilities=CAP_NET_BIND_SERVICE
CapabilityBoundingSet=CAP_NET_BIND_SERVICE
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=/var/lib/cutover-proxy
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes

[Install]
WantedBy=multi-user.target
CUTOVER
if test -d /run/systemd/system; then
    systemctl daemon-reload
    systemctl enable --now cutover-proxy
fi
# After another version of cutover was put there: systemctl reload cutover-proxy, which loses no connection
