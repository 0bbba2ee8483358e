//! `wasi:random`, counted: chance is free, but not without end.

use rustix::rand::{GetRandomFlags, getrandom};
use wasmtime_wasi::p2::bindings::random::{insecure, random};

use super::exceeded::Exceeded;
use super::guest::Guest;
use crate::model::Limit;

impl Guest {
    fn random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_left = self.random_left.checked_sub(length).ok_or(Exceeded(Limit::Random))?;
        let mut bytes = vec![0; usize::try_from(length)?];
        let mut filled = 0;
        while filled < bytes.len() {
            filled += getrandom(&mut bytes[filled..], GetRandomFlags::empty())?;
        }
        Ok(bytes)
    }

    fn random_number(&mut self) -> wasmtime::Result<u64> {
        let bytes = self.random_bytes(8)?;
        Ok(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }
}

impl random::Host for Guest {
    fn get_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(length)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.random_number()
    }
}

impl insecure::Host for Guest {
    fn get_insecure_random_bytes(&mut self, length: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(length)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.random_number()
    }
}
