//! What pods have from their service account, and the account that every namespace has.
//!
//! Mirrors: `plugin/pkg/admission/serviceaccount`. Upstream's controllers make the account called `default`
//! (`pkg/controller/serviceaccount`) and publish the authority that the API server's certificate is of
//! (`pkg/controller/certificates/rootcacertpublisher`). There is no controller manager yet, so the server does both,
//! following its own watch of the store.

use std::rc::Rc;

use serde_json::{Value, json};

use super::admission::forbidden;
use super::etcd::Op;
use super::keys::{insert, key};
use super::node_authorizer::{is_mirror, named};
use super::server::ApiServer;
use super::strategy::{self, Write};
use crate::api::decode::Decoded;
use crate::api::document::{Fragment, Part};
use crate::api::status::StatusError;
use crate::api::wire::PodSpec;
use crate::api::{Document, Kind, Object, Pod, to_json};
use crate::sim::Ctx;

/// The account of pods that name none.
const DEFAULT_ACCOUNT: &str = "default";
/// What the authority is published as, in each namespace.
const ROOT_CA: &str = "kube-root-ca.crt";
/// What every namespace has.
const FURNITURE: [(Kind, &str); 2] =
    [(Kind::ServiceAccount, DEFAULT_ACCOUNT), (Kind::ConfigMap, ROOT_CA)];
/// A certificate of an authority that signs nothing: between the page's components there is no TLS. Whoever serves
/// the engine with TLS has one of its own.
const ROOT_CA_PEM: &str = include_str!("root_ca.pem");
/// Where programs look for what lets them talk to the API server.
const TOKEN_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// What the volume with it is called, before a suffix of its own.
const TOKEN_VOLUME: &str = "kube-api-access-";
/// An hour, and seven seconds by which upstream tells those who never asked for an end.
const TOKEN_SECONDS: i64 = 3607;
/// How Go reads that something is so.
const TRUE: [&str; 6] = ["1", "t", "T", "true", "TRUE", "True"];
/// Lets pods refer to no other secrets than their account's.
const ENFORCE: &str = "kubernetes.io/enforce-mountable-secrets";

impl ApiServer {
    /// Gives a pod its account, and that account's secrets for pulling images.
    ///
    /// The default account counts as there even while its object is not: upstream waits for it.
    ///
    /// # Errors
    ///
    /// 403 if there is no such account, or for a mirror pod that refers to an account or secrets.
    pub(super) fn admit_account(&self, pod: &mut Pod, namespace: &str) -> Result<(), StatusError> {
        if is_mirror(pod) {
            return check_mirror(pod);
        }
        let spec = Rc::make_mut(&mut pod.spec);
        let name = spec.service_account_name.take().filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| DEFAULT_ACCOUNT.to_owned());
        let account = self.account(namespace, &name);
        if account.is_none() && name != DEFAULT_ACCOUNT {
            let why = [
                &*["error looking up service account ", namespace, "/", &name].concat(),
                &*[": serviceaccount \"", &name, "\" not found"].concat(),
            ];
            return Err(refused(pod, why.concat()));
        }
        spec.service_account = Some(name.clone());
        spec.service_account_name = Some(name);
        let Some(account) = account else { return Ok(()) };
        let to_pull = account.at("imagePullSecrets");
        if Fragment::part(&spec.image_pull_secrets).is_empty() && !to_pull.is_empty() {
            let secrets = to_pull.items().map(|secret| json!({"name": secret.at("name").text()}));
            spec.image_pull_secrets = Some(Fragment::new(secrets.collect()));
        }
        Ok(())
    }

    /// Checks that a pod refers to no secrets that its account keeps it from.
    ///
    /// # Errors
    ///
    /// 403 if it does.
    pub(super) fn check_account(&self, pod: &Pod, namespace: &str) -> Result<(), StatusError> {
        let name = pod.spec.service_account_name.as_deref().unwrap_or_default();
        let Some(account) = self.account(namespace, name).filter(|_| !is_mirror(pod)) else {
            return Ok(());
        };
        let annotations = account.metadata.annotations.as_ref();
        let enforces = annotations.and_then(|all| all.get(ENFORCE));
        if enforces.is_some_and(|value| TRUE.contains(&value.as_str())) {
            let spec = to_json(&*pod.spec);
            check_secrets(Part::of(Some(&spec)), account).map_err(|why| refused(pod, why))?;
        }
        Ok(())
    }

    /// Whether a pod that was admitted gets a token of its account.
    pub(super) fn mounts_token(&self, pod: &Pod, namespace: &str) -> bool {
        let name = pod.spec.service_account_name.as_deref().unwrap_or_default();
        let of_account = || {
            let account = self.account(namespace, name);
            account.and_then(|account| account.at("automountServiceAccountToken").value().as_bool())
        };
        !is_mirror(pod)
            && pod.spec.automount_service_account_token.or_else(of_account).unwrap_or(true)
    }

    fn account(&self, namespace: &str, name: &str) -> Option<&Document> {
        self.object(Kind::ServiceAccount, namespace, name)?.document().map(Rc::as_ref)
    }

    /// Goes on with what every namespace has, after a change of `object`.
    pub(super) fn furnish(&mut self, ctx: &mut Ctx<'_, Self>, changed: &Object) {
        let is_namespace = changed.kind() == Kind::Namespace;
        let namespace = if is_namespace { changed.name() } else { changed.namespace() };
        for (kind, name) in FURNITURE {
            if !is_namespace && (changed.kind(), changed.name()) != (kind, name) {
                continue;
            }
            let found = self.object(Kind::Namespace, "", namespace);
            if found.is_none_or(|found| found.meta().deletion_timestamp.is_some()) {
                return;
            }
            let wanted = if kind == Kind::ConfigMap {
                authority()
            } else {
                json!({"metadata": {"name": name}})
            };
            let Ok(Decoded { object: wanted, .. }) = Object::from_json(kind, &wanted) else {
                continue;
            };
            if let Some(there) = self.object(kind, namespace, name).cloned() {
                if let Some(restored) = restored(&there, &wanted) {
                    self.write_end(ctx, &there, Write::Put(restored));
                }
                continue;
            }
            let birth = self.birth(self.now(ctx));
            if let Ok(object) = strategy::create(&wanted, Some(namespace), &birth, kind) {
                self.call(ctx, Op::Txn(insert(key(kind, namespace, name), object, None)));
            }
        }
    }
}

/// What lets programs know that it is the API server that they talk to.
fn authority() -> Value {
    json!({
        "metadata": {
            "name": ROOT_CA,
            "annotations": {
                "kubernetes.io/description": "Contains a CA bundle that can be used to verify the \
                    kube-apiserver when using internal endpoints such as the internal service IP or \
                    kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes \
                    clusters.",
            },
        },
        "data": {"ca.crt": ROOT_CA_PEM},
    })
}

/// The published authority with what it is to hold, if somebody has changed that.
fn restored(there: &Object, wanted: &Object) -> Option<Object> {
    let (there, wanted) = (there.document()?, wanted.document()?);
    if there.at("data").value() == wanted.at("data").value() {
        return None;
    }
    let mut restored = Document::clone(there);
    restored.take("data", wanted);
    Some(Object::from(restored))
}

/// Gives the containers of a pod the token of its account, in a volume whose name ends with `suffix`.
///
/// Who mounts something else there keeps it, and who brings a volume of that name gets that one.
pub(super) fn mount_token(spec: &mut PodSpec, suffix: &str) {
    let volumes = Fragment::part(&spec.volumes);
    let own = volumes.items().map(|volume| volume.at("name").text());
    let own = own.into_iter().find(|name| name.starts_with(TOKEN_VOLUME)).map(str::to_owned);
    let name = own.clone().unwrap_or_else(|| [TOKEN_VOLUME, suffix].concat());
    let mut is_mounted = false;
    for container in spec.init_containers.iter_mut().flatten().chain(&mut spec.containers) {
        let mounts = Fragment::part(&container.volume_mounts);
        if mounts.items().any(|mount| mount.at("mountPath").text() == TOKEN_PATH) {
            continue;
        }
        push(
            &mut container.volume_mounts,
            json!({"mountPath": TOKEN_PATH, "name": name, "readOnly": true}),
        );
        is_mounted = true;
    }
    if is_mounted && own.is_none() {
        let namespace = json!({"apiVersion": "v1", "fieldPath": "metadata.namespace"});
        let sources = json!([
            {"serviceAccountToken": {"expirationSeconds": TOKEN_SECONDS, "path": "token"}},
            {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": ROOT_CA}},
            {"downwardAPI": {"items": [{"fieldRef": namespace, "path": "namespace"}]}},
        ]);
        push(
            &mut spec.volumes,
            json!({"name": name, "projected": {"defaultMode": 0o644, "sources": sources}}),
        );
    }
}

fn push(list: &mut Option<Fragment>, item: Value) {
    let list = list.get_or_insert_with(|| Fragment::new(json!([])));
    if let Value::Array(items) = list.value_mut() {
        items.push(item);
    }
}

fn refused(pod: &Pod, why: String) -> StatusError {
    forbidden(Kind::Pod, &pod.metadata, why)
}

/// A mirror pod stays as it is, and refers to nothing that a kubelet may not see without it.
fn check_mirror(pod: &Pod) -> Result<(), StatusError> {
    let spec = to_json(&*pod.spec);
    let refers = |what| !named(Part::of(Some(&spec)), what).is_empty();
    let account = pod.spec.service_account_name.as_deref().unwrap_or_default();
    let what = if !account.is_empty() {
        "reference service accounts"
    } else if refers("secrets") {
        "reference secrets"
    } else if refers("tokens") {
        "use service account token volume projections"
    } else {
        return Ok(());
    };
    Err(refused(pod, ["a mirror pod may not ", what].concat()))
}

/// What an account says of a pod that refers to secrets which are not the account's.
fn check_secrets(spec: Part<'_>, account: &Document) -> Result<(), String> {
    let has = |list: &str, name: &str| {
        account.at(list).items().any(|secret| secret.at("name").text() == name)
    };
    let refused = |who: &[&str], secret: &str| {
        let why = [
            "\" is not allowed because service account ",
            account.metadata.name.as_deref().unwrap_or_default(),
            " does not reference that ",
        ];
        [&who.concat(), "=\"", secret, &why.concat()].concat()
    };
    let mountable = |who: &[&str], secret: &str| {
        if has("secrets", secret) {
            return Ok(());
        }
        Err([refused(who, secret), "secret".into()].concat())
    };
    for volume in spec.at("volumes").items() {
        let secret = volume.at("secret");
        if secret.is_there() {
            mountable(&["volume with secret.secretName"], secret.at("secretName").text())?;
        }
    }
    for (list, what) in [("initContainers", "init container "), ("containers", "container ")] {
        for container in spec.at(list).items() {
            let who = [what, container.at("name").text()].concat();
            for var in container.at("env").items() {
                let secret = var.at("valueFrom").at("secretKeyRef");
                if secret.is_there() {
                    let var = var.at("name").text();
                    let who = [&*who, " with envVar ", var, " referencing secret.secretName"];
                    mountable(&who, secret.at("name").text())?;
                }
            }
            for from in container.at("envFrom").items().map(|from| from.at("secretRef")) {
                if from.is_there() {
                    let who = [&*who, " with envFrom referencing secret.secretName"];
                    mountable(&who, from.at("name").text())?;
                }
            }
        }
    }
    for (index, secret) in spec.at("imagePullSecrets").items().enumerate() {
        let name = secret.at("name").text();
        if !has("imagePullSecrets", name) {
            let who = format!("imagePullSecrets[{index}].name");
            return Err([refused(&[&who], name), "imagePullSecret".into()].concat());
        }
    }
    Ok(())
}
