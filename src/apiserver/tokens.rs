//! Tokens of service accounts: given out at `serviceaccounts/token`, and known again.
//!
//! They have the form and the claims of upstream's. Only the signature is none that anybody else could
//! check: it is a number that the server makes of a key of its own, as there is nobody to hide it from.
//!
//! Mirrors: `pkg/registry/core/serviceaccount/storage/token.go`, `pkg/serviceaccount/claims.go` and
//! `pkg/apis/authentication/validation/validation.go`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::authentication::AUTHENTICATED;
use super::server::ApiServer;
use super::strategy::group_resource;
use crate::api::caller::User;
use crate::api::document::Part;
use crate::api::field::{FieldError, Path};
use crate::api::request::{Document, JSON, Request};
use crate::api::status::{GroupResource, StatusError};
use crate::api::{Kind, Object, Pod, Resource as _, seconds, to_json};
use crate::sim::Rng;

const ISSUER: &str = "https://kubernetes.default.svc.cluster.local";
/// The claim with what is of Kubernetes alone.
const OWN: &str = "kubernetes.io";
/// How long a token is good for, in seconds: if nobody says, and at least.
const USUAL: i64 = 60 * 60;
const LEAST: i64 = 10 * 60;
const MOST: i64 = 1 << 32;
/// What a token can be bound to: it ends with that.
const BOUND: [Kind; 3] = [Kind::Pod, Kind::Node, Kind::Secret];

impl ApiServer {
    /// Answers a `TokenRequest` for the service account called `name`.
    ///
    /// # Errors
    ///
    /// 404 without such an account or what the token is to be bound to, 409 if that is another by now, 422
    /// if it is to be good for too short or too long.
    pub(super) fn give_token(
        &mut self,
        request: &Request,
        name: &str,
        now: Timestamp,
    ) -> Result<Document, StatusError> {
        let namespace = request.namespace().to_owned();
        let uid = self.uid_of(Kind::ServiceAccount, &namespace, name)?;
        let spec = request.payload.json().at("spec");
        let lasts = spec.at("expirationSeconds").number().unwrap_or(USUAL);
        check(lasts)?;
        let mut own = json!({"namespace": namespace, "serviceaccount": {"name": name, "uid": uid}});
        if let (Some(own), bound) = (own.as_object_mut(), spec.at("boundObjectRef"))
            && bound.is_there()
        {
            own.extend([self.bound_to(bound, &namespace, name)?]);
        }
        let audiences = match spec.at("audiences") {
            none if none.is_empty() => json!([ISSUER]),
            some => some.value().clone(),
        };
        let ends = now.checked_add(SignedDuration::from_secs(lasts)).unwrap_or(now);
        let claims = json!({
            "aud": audiences, "exp": ends.as_second(), "iat": now.as_second(), "iss": ISSUER,
            "jti": self.birth(now).uid, OWN: own, "nbf": now.as_second(),
            "sub": format!("system:serviceaccount:{namespace}:{name}"),
        });
        let part = |json: &Value| URL_SAFE_NO_PAD.encode(json.to_string());
        let signed = [part(&json!({"alg": "RS256", "typ": "JWT"})), part(&claims)].join(".");
        let token = [&signed, ".", &self.signature(&signed)].concat();
        let body = json!({
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "metadata": {
                "name": name, "namespace": namespace, "creationTimestamp": to_json(&seconds(now)),
            },
            "spec": {
                "audiences": audiences, "expirationSeconds": lasts,
                "boundObjectRef": spec.at("boundObjectRef").value(),
            },
            "status": {"token": token, "expirationTimestamp": to_json(&seconds(ends))},
        });
        Ok(Document { code: 201, media: JSON, body })
    }

    /// The service account that a token is of; none if it is no token of ours, too old, or what it is of
    /// or bound to is gone.
    pub(super) fn token_user(&self, token: &str, now: Timestamp) -> Option<User> {
        let (signed, signature) = token.rsplit_once('.')?;
        if signature != self.signature(signed) {
            return None;
        }
        let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
        let claims: Value = serde_json::from_slice(&claims).ok()?;
        let claims = Part::of(Some(&claims));
        let own = claims.at(OWN);
        let (namespace, account) = (own.at("namespace").text(), own.at("serviceaccount"));
        let name = account.at("name").text();
        let is_there = |kind, of: Part<'_>| {
            let namespace = if kind == Kind::Node { "" } else { namespace };
            let uid = self.uid_of(kind, namespace, of.at("name").text());
            uid.is_ok_and(|uid| uid == of.at("uid").text())
        };
        let bound = BOUND.map(|kind| (kind, own.at(&claim(kind))));
        let mut bound = bound.into_iter().filter(|(_, of)| of.is_there());
        let is_good = claims.at("exp").number()? > now.as_second()
            && is_there(Kind::ServiceAccount, account)
            && bound.all(|(kind, of)| is_there(kind, of));
        let groups = [
            "system:serviceaccounts".into(),
            ["system:serviceaccounts:", namespace].concat().into(),
            AUTHENTICATED.into(),
        ];
        is_good.then(|| User {
            name: ["system:serviceaccount:", namespace, ":", name].concat().into(),
            groups: groups.into(),
        })
    }

    /// The claim that binds a token of the account called `name` to what `bound` names.
    fn bound_to(
        &self,
        bound: Part<'_>,
        namespace: &str,
        name: &str,
    ) -> Result<(String, Value), StatusError> {
        let (kind, called, uid) =
            (bound.at("kind").text(), bound.at("name").text(), bound.at("uid").text());
        let of = BOUND.into_iter().find(|own| own.resource().name == kind);
        let Some(of) = of else {
            let version = bound.at("apiVersion").text();
            return Err(StatusError::bad_request(format!(
                "cannot bind token to object of type {version}, Kind={kind}"
            )));
        };
        let namespace = if of == Kind::Node { "" } else { namespace };
        let stored = self.uid_of(of, namespace, called)?;
        let pod = self.object(of, namespace, called).and_then(Pod::unwrap);
        if pod.is_some_and(|pod| pod.spec.service_account_name.as_deref() != Some(name)) {
            return Err(StatusError::bad_request(format!(
                "cannot bind token for serviceaccount \"{name}\" to pod running with different \
                 serviceaccount name."
            )));
        }
        if !uid.is_empty() && uid != stored {
            let why = format!(
                "the UID in the bound object reference ({uid}) does not match the UID in record. The \
                 object might have been deleted and then recreated"
            );
            let resource = of.resource();
            let kind = GroupResource::new(resource.group, resource.name);
            return Err(StatusError::conflict(kind, called, why));
        }
        Ok((claim(of), json!({"name": called, "uid": stored})))
    }

    /// # Errors
    ///
    /// 404 if there is no such object.
    pub(super) fn uid_of(
        &self,
        kind: Kind,
        namespace: &str,
        name: &str,
    ) -> Result<String, StatusError> {
        let found = self.object(kind, namespace, name).map(Object::meta);
        let missing = || StatusError::not_found(group_resource(kind.resource()), name);
        Ok(found.ok_or_else(missing)?.uid.as_deref().unwrap_or_default().to_owned())
    }

    fn signature(&self, text: &str) -> String {
        // A hasher of the library would take another way where a word has 32 bits.
        let mix = |mixed, byte: u8| Rng::stream(mixed, byte.into()).next_u64();
        URL_SAFE_NO_PAD.encode(text.bytes().fold(self.token_key, mix).to_be_bytes())
    }
}

fn claim(kind: Kind) -> String {
    kind.resource().name.to_ascii_lowercase()
}

fn check(lasts: i64) -> Result<(), StatusError> {
    let why = match lasts {
        ..LEAST => "may not specify a duration less than 10 minutes",
        LEAST..=MOST => return Ok(()),
        _ => "may not specify a duration larger than 2^32 seconds",
    };
    let error = FieldError::invalid(&Path::new("spec").child("expirationSeconds"), lasts, why);
    let kind = GroupResource::new("authentication.k8s.io", "TokenRequest");
    Err(StatusError::invalid(kind, "", &[error]))
}

/// What a `TokenReview` is told of the user whom a token shows.
pub(super) fn reviewed(user: Option<&User>) -> Value {
    let Some(user) = user else {
        return json!({"user": Map::new(), "error": "invalid bearer token"});
    };
    json!({
        "authenticated": true,
        "user": {"username": user.name, "groups": user.groups},
        "audiences": [ISSUER],
    })
}
