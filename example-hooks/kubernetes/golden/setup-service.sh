# The account of the token, and what it may do in the namespace shop
kubectl apply -f - <<'CUTOVER'
apiVersion: v1
kind: ServiceAccount
metadata: {name: cutover, namespace: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: cutover, namespace: shop}
rules:
- {apiGroups: [""], resources: [services], resourceNames: [web], verbs: [get, patch]}
- {apiGroups: [""], resources: [pods], verbs: [list]}
- {apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: cutover, namespace: shop}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: cutover}
subjects:
- {kind: ServiceAccount, name: cutover, namespace: shop}
CUTOVER
# A token for it: kubectl create token cutover --namespace shop --duration 1h
