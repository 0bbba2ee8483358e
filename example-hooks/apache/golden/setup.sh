# Apache on lb1: the colour of shop is which members of its balancer are on
test -d /var/lib/cutover-apache/shop || install -d -m 755 -o deploy /var/lib/cutover-apache/shop
mkdir -p /etc/apache2/cutover
cat > /etc/apache2/conf-enabled/cutover-shop.conf <<'CUTOVER'
# Written by `cutover setup`. Change cutover.toml, and print it again, when hosts or ports change.

# Where Apache begins: with the colour that a file names, green before blue. From then on its balancer-manager decides, and each switch
# keeps the file in step, so that a restart, a reload and a crash change nothing.
Define cutover-shop-blue +D
Define cutover-shop-green +D
<IfFile "/var/lib/cutover-apache/shop/blue">
    Define cutover-shop-blue -D
</IfFile>
<IfFile "/var/lib/cutover-apache/shop/green">
    Define cutover-shop-blue +D
    Define cutover-shop-green -D
</IfFile>

<Proxy "balancer://cutover-shop">
    BalancerMember "http://10.0.0.11:4001" route=blue-web1 status=${cutover-shop-blue} retry=1 upgrade=websocket
    BalancerMember "http://10.0.0.12:4001" route=blue-web2 status=${cutover-shop-blue} retry=1 upgrade=websocket
    BalancerMember "http://10.0.0.11:4002" route=green-web1 status=${cutover-shop-green} retry=1 upgrade=websocket
    BalancerMember "http://10.0.0.12:4002" route=green-web2 status=${cutover-shop-green} retry=1 upgrade=websocket
</Proxy>
CUTOVER
cat > /etc/apache2/conf-enabled/cutover-balancer-manager-8098.conf <<'CUTOVER'
# Written by `cutover setup`, for all applications that cutover switches here: asked before, while and after it does.
Listen 127.0.0.1:8098
<VirtualHost 127.0.0.1:8098>
    ServerName 127.0.0.1
    ProxyPass "/balancer-manager" "!"
    <Location "/balancer-manager">
        SetHandler balancer-manager
        Require local
    </Location>
</VirtualHost>
CUTOVER
cat > /etc/apache2/cutover/shop.conf <<'CUTOVER'
# Written by `cutover setup`: sends requests of shop to the members of its balancer that are on.
ProxyPreserveHost On
RequestHeader set X-Forwarded-Proto expr=%{REQUEST_SCHEME}
ProxyPass "/" "balancer://cutover-shop/"
CUTOVER
# Then: a2enmod proxy_http proxy_balancer lbmethod_byrequests headers
# and in the VirtualHost of shop:
#     Include /etc/apache2/cutover/shop.conf
# and: apache2ctl configtest && systemctl restart apache2
# A websocket on which neither side says a word is closed after `Timeout` or `ProxyTimeout`, whichever is longer
