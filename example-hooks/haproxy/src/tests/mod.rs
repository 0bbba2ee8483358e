//! Both styles against an HAProxy that is scripted on the fake host.

mod map;
mod map_faults;
mod servers;
