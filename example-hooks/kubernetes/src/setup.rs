//! What is to be done once in the cluster, as a script: a pure function of the settings.

use crate::settings::{Settings, Style};

impl Settings {
    /// A role that allows what this hook asks for, and no more.
    pub(crate) fn setup(&self) -> String {
        let namespace = &self.namespace;
        let pods = "- {apiGroups: [\"\"], resources: [pods], verbs: [list]}\n";
        let (group, kind, name, pods) = match self.style {
            Style::Service => ("\"\"", "services", &self.service, pods),
            Style::Gateway => ("gateway.networking.k8s.io", "httproutes", &self.route, ""),
        };
        let name = name.as_deref().unwrap_or_default();
        format!(
            "# The account of the token, and what it may do in the namespace {namespace}\n\
             kubectl apply -f - <<'CUTOVER'\n\
             apiVersion: v1\n\
             kind: ServiceAccount\n\
             metadata: {{name: cutover, namespace: {namespace}}}\n\
             ---\n\
             apiVersion: rbac.authorization.k8s.io/v1\n\
             kind: Role\n\
             metadata: {{name: cutover, namespace: {namespace}}}\n\
             rules:\n\
             - {{apiGroups: [{group}], resources: [{kind}], resourceNames: [{name}], verbs: [get, patch]}}\n\
             {pods}\
             - {{apiGroups: [discovery.k8s.io], resources: [endpointslices], verbs: [list]}}\n\
             ---\n\
             apiVersion: rbac.authorization.k8s.io/v1\n\
             kind: RoleBinding\n\
             metadata: {{name: cutover, namespace: {namespace}}}\n\
             roleRef: {{apiGroup: rbac.authorization.k8s.io, kind: Role, name: cutover}}\n\
             subjects:\n\
             - {{kind: ServiceAccount, name: cutover, namespace: {namespace}}}\n\
             CUTOVER\n\
             # A token for it: kubectl create token cutover --namespace {namespace} --duration 1h\n"
        )
    }
}
