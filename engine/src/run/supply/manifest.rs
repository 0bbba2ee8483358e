//! The manifest of a component in a registry: an image manifest of OCI whose config says Wasm and whose one layer is the component
//! (CNCF TAG Runtime, "Wasm OCI Artifact layout").
//!
//! The config itself is not fetched: what it repeats of the component is read from the component.

use serde::Deserialize;

use crate::hook::LARGEST_COMPONENT;
use crate::model::{ComponentDigest, excerpt};

/// Media types of what a tag can lead to; the first one is a manifest of what is wanted. The others are asked for too, since registries
/// answer "not found" where one has only those, and say what they have otherwise.
pub(super) const MANIFESTS: [&str; 4] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];
const CONFIG: &str = "application/vnd.wasm.config.v0+json";
const LAYER: &str = "application/wasm";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Manifest {
    media_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    media_type: String,
    digest: String,
    size: u64,
}

/// Digest of the one layer of a manifest that came with this `Content-Type`.
///
/// # Errors
/// When it is another artifact than a component.
pub(super) fn layer(content_type: &str, text: &[u8]) -> Result<ComponentDigest, String> {
    let manifest: Manifest =
        serde_json::from_slice(text).map_err(|_| "what its registry answers is no manifest".to_owned())?;
    let sent_as = content_type.split(';').next().unwrap_or_default().trim();
    match manifest.media_type.as_deref().unwrap_or(sent_as) {
        media_type if media_type == MANIFESTS[0] => {}
        media_type if media_type == MANIFESTS[1] || media_type == MANIFESTS[2] => {
            return Err(format!("it is an index of other artifacts (`{media_type}`)"));
        }
        other => return Err(format!("its manifest is of type `{}`, not `{}`", shown(other), MANIFESTS[0])),
    }
    match &manifest.config {
        Some(config) if config.media_type == CONFIG => {}
        Some(config) => {
            return Err(format!("its config is of type `{}`, not `{CONFIG}`", shown(&config.media_type)));
        }
        None => return Err("its manifest has no config".to_owned()),
    }
    let layers = manifest.layers.unwrap_or_default();
    let [layer] = &layers[..] else {
        return Err(format!("it has {} layers, not one", layers.len()));
    };
    if layer.media_type != LAYER {
        return Err(format!("its layer is of type `{}`, not `{LAYER}`", shown(&layer.media_type)));
    }
    let digest = layer.digest.strip_prefix("sha256:").and_then(ComponentDigest::parse);
    let digest =
        digest.ok_or_else(|| format!("its layer's digest `{}` is no SHA-256", shown(&layer.digest)))?;
    if !(1..=LARGEST_COMPONENT).contains(&layer.size) {
        return Err(format!(
            "its layer has {} bytes: at most {} MiB are read",
            layer.size,
            LARGEST_COMPONENT >> 20
        ));
    }
    Ok(digest)
}

/// A media type as far as one can be long (RFC 6838, 4.2).
fn shown(text: &str) -> String {
    excerpt(text.chars().take(255).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn manifest() -> Value {
        let descriptor = |media_type: &str| json!({ "mediaType": media_type, "digest": format!("sha256:{}", "0a".repeat(32)), "size": 7 });
        json!({ "schemaVersion": 2, "mediaType": MANIFESTS[0], "config": descriptor(CONFIG), "layers": [descriptor(LAYER)] })
    }

    #[test]
    fn the_layer_of_a_component_is_found() {
        let expected = Ok(ComponentDigest::of_bytes([10; 32]));
        assert_eq!(layer("", manifest().to_string().as_bytes()), expected);
        let mut untyped = manifest();
        untyped["mediaType"] = Value::Null;
        untyped["annotations"] = json!({ "org.opencontainers.image.title": "lb" });
        let content_type = format!("{}; charset=utf-8", MANIFESTS[0]);
        assert_eq!(layer(&content_type, untyped.to_string().as_bytes()), expected);
    }

    #[test]
    fn another_artifact_is_told_by_what_it_is() {
        let changed = |pointer: &str, value: Value| {
            let mut changed = manifest();
            *changed.pointer_mut(pointer).expect("a place") = value;
            layer("text/html", changed.to_string().as_bytes()).expect_err(pointer)
        };
        let two = json!([manifest()["layers"][0], manifest()["layers"][0]]);
        for (pointer, value, expected) in [
            (
                "/mediaType",
                json!(MANIFESTS[1]),
                "it is an index of other artifacts (`application/vnd.oci.image.index.v1+json`)",
            ),
            (
                "/mediaType",
                Value::Null,
                "its manifest is of type `text/html`, not `application/vnd.oci.image.manifest.v1+json`",
            ),
            (
                "/config/mediaType",
                json!("application/vnd.oci.image.config.v1+json"),
                "its config is of type `application/vnd.oci.image.config.v1+json`, not `application/vnd.wasm.config.v0+json`",
            ),
            ("/config", Value::Null, "its manifest has no config"),
            ("/layers", json!([]), "it has 0 layers, not one"),
            ("/layers", two, "it has 2 layers, not one"),
            (
                "/layers/0/mediaType",
                json!("application/vnd.oci.image.layer.v1.tar+gzip"),
                "its layer is of type `application/vnd.oci.image.layer.v1.tar+gzip`, not `application/wasm`",
            ),
            ("/layers/0/digest", json!("sha512:00"), "its layer's digest `sha512:00` is no SHA-256"),
            (
                "/layers/0/digest",
                json!("0".repeat(64)),
                &format!("its layer's digest `{}` is no SHA-256", "0".repeat(64)),
            ),
            (
                "/layers/0/size",
                json!(1_u64 << 50),
                "its layer has 1125899906842624 bytes: at most 256 MiB are read",
            ),
            ("/layers/0/size", json!(0), "its layer has 0 bytes: at most 256 MiB are read"),
            ("/layers/0/size", json!(-1), "what its registry answers is no manifest"),
            ("/layers", json!({}), "what its registry answers is no manifest"),
        ] {
            assert_eq!(changed(pointer, value), expected, "{pointer}");
        }
        assert_eq!(layer("", b"<!DOCTYPE html>"), Err("what its registry answers is no manifest".to_owned()));
    }
}
