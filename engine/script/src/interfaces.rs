//! The functions of each interface, as JavaScript calls them.

use std::time::Duration;

use boa_engine::{Context, JsResult, JsString, JsValue};
use cutover_hooks::engine::{self, Level};
use cutover_hooks::{hosts, secrets};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::answers::{self, Command, Request, host_error, http_error, secret_error};
use crate::{bytes, questions, thrown};

/// A function of an interface.
pub(crate) struct Function {
    /// In camelCase.
    pub(crate) name: &'static str,
    /// How many arguments it takes.
    pub(crate) arguments: usize,
    pub(crate) run: fn(&JsValue, &[JsValue], &mut Context) -> JsResult<JsValue>,
}

const fn function(
    name: &'static str,
    arguments: usize,
    run: fn(&JsValue, &[JsValue], &mut Context) -> JsResult<JsValue>,
) -> Function {
    Function { name, arguments, run }
}

/// All of them, by the name of their interface.
pub(crate) static INTERFACES: [(&str, &[Function]); 6] = [
    (
        "engine",
        &[
            function("log", 2, log),
            function("progress", 3, progress),
            function("elapsedMs", 0, elapsed_ms),
            function("remainingMs", 0, remaining_ms),
            function("sleepMs", 1, sleep_ms),
        ],
    ),
    // Types alone: whoever writes them out imports nothing by it.
    ("hook-types", &[]),
    (
        "hosts",
        &[
            function("exec", 2, exec),
            function("readBytes", 2, read_bytes),
            function("readText", 2, read_text),
            function("writeBytes", 4, write_bytes),
            function("writeText", 4, write_text),
            function("writeLink", 3, write_link),
            function("readLink", 2, read_link),
            function("listNames", 2, list_names),
            function("remove", 2, remove),
            function("exchange", 4, exchange),
        ],
    ),
    ("http-client", &[function("send", 1, send)]),
    ("secret-text", &[function("reveal", 1, reveal)]),
    ("secrets", &[function("hmacSha256", 4, hmac_sha256)]),
];

/// The arguments of a call, taken one after the other by their names in the contract.
struct Arguments<'a> {
    given: std::slice::Iter<'a, JsValue>,
}

impl<'a> Arguments<'a> {
    fn new(given: &'a [JsValue]) -> Self {
        Self { given: given.iter() }
    }

    fn next(&mut self) -> JsValue {
        self.given.next().cloned().unwrap_or_default()
    }

    fn take<T: DeserializeOwned>(&mut self, name: &str, context: &mut Context) -> JsResult<T> {
        answers::argument(&self.next(), name, context)
    }

    fn bytes(&mut self, name: &str, context: &mut Context) -> JsResult<Vec<u8>> {
        bytes::of(&self.next(), name, context)
    }
}

fn to_js(value: &Value, context: &mut Context) -> JsResult<JsValue> {
    JsValue::from_json(value, context)
}

fn log(_: &JsValue, given: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let mut given = Arguments::new(given);
    let (level, message): (String, String) = (given.take("level", context)?, given.take("message", context)?);
    let level = match level.as_str() {
        "debug" => Level::Debug,
        "info" => Level::Info,
        "warn" => Level::Warn,
        "error" => Level::Error,
        other => {
            let text = format!("`level`: `{other}` is none of `debug`, `info`, `warn` and `error`");
            return Err(thrown::type_error(&text));
        }
    };
    engine::log(level, message);
    Ok(JsValue::undefined())
}

fn progress(_: &JsValue, given: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let mut given = Arguments::new(given);
    let (done, total) = (given.take("done", context)?, given.take("total", context)?);
    engine::progress(done, total, &given.take::<String>("what", context)?);
    Ok(JsValue::undefined())
}

fn elapsed_ms(_: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    Ok(milliseconds(engine::elapsed()))
}

fn remaining_ms(_: &JsValue, _: &[JsValue], _: &mut Context) -> JsResult<JsValue> {
    Ok(milliseconds(engine::remaining()))
}

fn milliseconds(time: Duration) -> JsValue {
    JsValue::from(u32::try_from(time.as_millis()).unwrap_or(u32::MAX))
}

fn sleep_ms(_: &JsValue, given: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let ms: u32 = Arguments::new(given).take("ms", context)?;
    engine::sleep(Duration::from_millis(ms.into()));
    Ok(JsValue::undefined())
}

fn exec(_: &JsValue, given: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let mut given = Arguments::new(given);
    let (host, command): (String, Command) = (given.take("host", context)?, given.take("command", context)?);
    let output = hosts::exec(&host, &command.into()).map_err(|error| host_error(error, context))?;
    to_js(&questions::output(&output), context)
}

fn read_bytes(_: &JsValue, given: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (host, path) = place(&mut Arguments::new(given), context)?;
    let content = hosts::read_bytes(&host, &path).map_err(|error| host_error(error, context))?;
    bytes::array(content, context)
}

fn read_text(_: &JsValue, given: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (host, path) = place(&mut Arguments::new(given), context)?;
    let text = hosts::read_text(&host, &path).map_err(|error| host_error(error, context))?;
    Ok(JsString::from(text).into())
}

fn write_bytes(_: &JsValue, given: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let mut given = Arguments::new(given);
    let (host, path) = place(&mut given, context)?;
    let content = given.bytes("content", context)?;
    let mode = given.take("mode", context)?;
    nothing(hosts::write_bytes(&host, &path, &content, mode), context)
}

fn write_text(_: &JsValue, given: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let mut given = Arguments::new(given);
    let (host, path) = place(&mut given, context)?;
    let (content, mode): (String, _) = (given.take("content", context)?, given.take("mode", context)?);
    nothing(hosts::write_text(&host, &path, &content, mode), context)
}

fn write_link(_: &JsValue, given: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let mut given = Arguments::new(given);
    let (host, path) = place(&mut given, context)?;
    let target: String = given.take("target", context)?;
    nothing(hosts::write_link(&host, &path, &target), context)
}

fn read_link(_: &JsValue, given: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (host, path) = place(&mut Arguments::new(given), context)?;
    let target = hosts::read_link(&host, &path).map_err(|error| host_error(error, context))?;
    Ok(JsString::from(target).into())
}

fn list_names(_: &JsValue, given: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (host, path) = place(&mut Arguments::new(given), context)?;
    let names = hosts::list_names(&host, &path).map_err(|error| host_error(error, context))?;
    to_js(&json!(names), context)
}

fn remove(_: &JsValue, given: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let (host, path) = place(&mut Arguments::new(given), context)?;
    nothing(hosts::remove(&host, &path), context)
}

fn exchange(_: &JsValue, given: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let mut given = Arguments::new(given);
    let (host, socket): (String, String) = (given.take("host", context)?, given.take("socket", context)?);
    let content: String = given.take("content", context)?;
    let timeout: Option<u32> = given.take("timeoutMs", context)?;
    let timeout = timeout.map(|ms| Duration::from_millis(ms.into()));
    let said = hosts::exchange(&host, &socket, &content, timeout);
    let said = said.map_err(|error| host_error(error, context))?;
    Ok(JsString::from(said).into())
}

fn place(given: &mut Arguments<'_>, context: &mut Context) -> JsResult<(String, String)> {
    Ok((given.take("host", context)?, given.take("path", context)?))
}

fn nothing(done: Result<(), hosts::HostError>, context: &mut Context) -> JsResult<JsValue> {
    done.map(|()| JsValue::undefined()).map_err(|error| host_error(error, context))
}

fn send(_: &JsValue, given: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let request = Request::of(&Arguments::new(given).next(), context)?;
    let response = request.send().map_err(|error| http_error(error, context))?;
    questions::response(response, context)
}

fn reveal(_: &JsValue, given: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let name: String = Arguments::new(given).take("name", context)?;
    let secret = secrets::reveal(&name).map_err(|error| secret_error(error, context))?;
    Ok(JsString::from(secret).into())
}

fn hmac_sha256(_: &JsValue, given: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let mut given = Arguments::new(given);
    let (name, prefix): (String, String) = (given.take("name", context)?, given.take("prefix", context)?);
    let chain: Vec<String> = given.take("chain", context)?;
    let data = given.bytes("data", context)?;
    let signed = secrets::hmac_sha256(&name, &prefix, &chain, &data);
    bytes::array(signed.map_err(|error| secret_error(error, context))?, context)
}
