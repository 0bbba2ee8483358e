//! Signature Version 4 of AWS: what is signed, without the key. Pure; the engine has the key.

use std::time::{Duration, UNIX_EPOCH};

use sha2::{Digest, Sha256};

/// The service's name in signatures.
pub(crate) const SERVICE: &str = "elasticloadbalancing";

/// A request to `/` that is to be signed.
#[derive(Debug)]
pub(crate) struct Unsigned<'a> {
    pub(crate) method: &'a str,
    /// As the engine sends it: with the port, where it is not the scheme's own.
    pub(crate) host: &'a str,
    /// In the order in which it is sent, encoded.
    pub(crate) query: &'a str,
    /// Beside Host and X-Amz-Date: names in lower case.
    pub(crate) headers: &'a [(String, String)],
    pub(crate) body: &'a str,
}

/// When and for what a signature is good.
#[derive(Debug)]
pub(crate) struct Scope<'a> {
    /// `20150830T123600Z`
    pub(crate) time: &'a str,
    pub(crate) region: &'a str,
    pub(crate) service: &'a str,
}

impl Scope<'_> {
    fn date(&self) -> &str {
        self.time.split('T').next().unwrap_or_default()
    }

    /// The texts out of which the engine makes the signing key.
    pub(crate) fn chain(&self) -> Vec<String> {
        [self.date(), self.region, self.service, "aws4_request"].map(str::to_owned).into()
    }
}

impl Unsigned<'_> {
    /// All headers that are signed, sorted.
    fn headers(&self, scope: &Scope<'_>) -> Vec<(&str, String)> {
        let own = self.headers.iter().map(|(name, value)| (name.as_str(), value.trim().to_owned()));
        let mut headers: Vec<_> = own.collect();
        headers.push(("host", self.host.to_owned()));
        headers.push(("x-amz-date", scope.time.to_owned()));
        headers.sort();
        headers
    }

    fn signed_headers(&self, scope: &Scope<'_>) -> String {
        let headers = self.headers(scope);
        headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";")
    }

    fn canonical(&self, scope: &Scope<'_>) -> String {
        let mut query: Vec<&str> = self.query.split('&').filter(|pair| !pair.is_empty()).collect();
        query.sort_by_key(|pair| pair.split_once('=').unwrap_or((pair, "")));
        let headers =
            self.headers(scope).iter().map(|(name, value)| format!("{name}:{value}\n")).collect::<String>();
        format!(
            "{}\n/\n{}\n{headers}\n{}\n{}",
            self.method,
            query.join("&"),
            self.signed_headers(scope),
            hash(self.body)
        )
    }

    /// What the key signs.
    pub(crate) fn string_to_sign(&self, scope: &Scope<'_>) -> String {
        let (time, chain, request) = (scope.time, scope.chain().join("/"), hash(&self.canonical(scope)));
        format!("AWS4-HMAC-SHA256\n{time}\n{chain}\n{request}")
    }

    /// The header that goes with the request.
    pub(crate) fn authorization(&self, scope: &Scope<'_>, access_key_id: &str, signature: &[u8]) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential={access_key_id}/{}, SignedHeaders={}, Signature={}",
            scope.chain().join("/"),
            self.signed_headers(scope),
            hex(signature)
        )
    }
}

/// A text as it stands in a query or in a form.
pub(crate) fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes()
        .map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

/// A time since 1970 as `20150830T123600Z`.
pub(crate) fn stamp(time: std::time::SystemTime) -> String {
    let seconds = time.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs();
    let (days, second) = (seconds / 86_400, seconds % 86_400);
    // Years that begin in March, so that a leap day is a year's last: 400 of them have 146,097 days.
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 { (year, month + 3) } else { (year + 1, month - 9) };
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z", era * 400 + year)
}

fn hash(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the examples of AWS have in common.
    fn to_sign(unsigned: &Unsigned<'_>, service: &str) -> String {
        let scope = Scope { time: "20150830T123600Z", region: "us-east-1", service };
        unsigned.string_to_sign(&scope)
    }

    fn expected(service: &str, request: &str) -> String {
        format!("AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/{service}/aws4_request\n{request}")
    }

    const VANILLA: Unsigned<'static> =
        Unsigned { method: "GET", host: "example.amazonaws.com", query: "", headers: &[], body: "" };

    /// `get-vanilla` of the test suite that AWS has published for Signature Version 4.
    #[test]
    fn what_is_signed_of_a_bare_request_is_what_aws_says() {
        let hash = "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63";
        assert_eq!(to_sign(&VANILLA, "service"), expected("service", hash));
    }

    /// `get-vanilla-query-order-key-case`.
    #[test]
    fn a_query_is_signed_in_its_order_and_sent_in_any() {
        let hash = "816cd5b414d056048ba4f7c5386d6e0533120fb1fcfa93762cf0fc39e2cf19e0";
        for query in ["Param1=value1&Param2=value2", "Param2=value2&Param1=value1"] {
            assert_eq!(to_sign(&Unsigned { query, ..VANILLA }, "service"), expected("service", hash));
        }
    }

    /// The example of the AWS General Reference: a list of users.
    #[test]
    fn a_request_with_headers_and_a_query_is_signed_as_in_the_reference() {
        let headers =
            [("content-type".to_owned(), "application/x-www-form-urlencoded; charset=utf-8".to_owned())];
        let unsigned = Unsigned {
            host: "iam.amazonaws.com",
            query: "Action=ListUsers&Version=2010-05-08",
            headers: &headers,
            ..VANILLA
        };
        let hash = "f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59";
        assert_eq!(to_sign(&unsigned, "iam"), expected("iam", hash));
        let scope = Scope { time: "20150830T123600Z", region: "us-east-1", service: "iam" };
        assert_eq!(
            unsigned.authorization(&scope, "AKIDEXAMPLE", &[0x5d, 0x67]),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, Signature=5d67"
        );
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "19700101T000000Z"),
            (951_782_399, "20000228T235959Z"),
            (951_782_400, "20000229T000000Z"),
            (1_440_938_160, "20150830T123600Z"),
            (1_709_251_199, "20240229T235959Z"),
            (4_102_444_800, "21000101T000000Z"),
            (4_107_542_400, "21000301T000000Z"),
        ] {
            assert_eq!(stamp(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }

    #[test]
    fn what_means_something_in_a_query_is_encoded() {
        assert_eq!(encoded("arn:aws/a-b._~ é&=+"), "arn%3Aaws%2Fa-b._~%20%C3%A9%26%3D%2B");
    }
}
