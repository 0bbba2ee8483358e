# The route, in the space of the two apps. It begins without an app, or with the one that is live
cf api https://api.cf.example.com
cf create-route apps.example.com --hostname shop
# Each app is pushed without touching the route: cf push shop-blue --no-route, cf push shop-green --no-route
# The token's account needs the role SpaceSupporter, or SpaceDeveloper: cf set-space-role ACCOUNT ORG SPACE SpaceSupporter
# A token of who is logged in: cf oauth-token
