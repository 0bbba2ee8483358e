cat > /etc/nginx/conf.d/cutover-shop.conf <<'CUTOVER'
map $http_upgrade $cutover_to_upgrade {
    default       '';
    ~*^websocket$ websocket;
}
map $cutover_to_upgrade $cutover_to_connection {
    default   '';
    websocket upgrade;
}
include /var/lib/cutover-nginx/shop/upstream.conf;
CUTOVER
# Then, in the server block of shop:
#     location / {
#         proxy_pass http://cutover-shop;
#         proxy_http_version 1.1;
#         proxy_set_header Host $http_host;
#         proxy_set_header Upgrade $cutover_to_upgrade;
#         proxy_set_header Connection $cutover_to_connection;
#     }
# and: nginx -t && nginx -s reload
# A websocket on which neither side says a word for a minute is closed, unless `proxy_read_timeout` in that location says otherwise;
# that is also how long a request may wait for its answer
