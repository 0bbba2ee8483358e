# The check in bash, with nothing but bash: no `curl`, which would be another process.
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf 'GET /up HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n' "$1" >&3
read -r _ status _ <&3
release=
while read -r name value && [[ $name != $'\r' ]]; do
  [[ ${name,,} == x-release: ]] && release=${value%$'\r'}
done <&3
[[ $status == 200 && $release == "$2" ]]
