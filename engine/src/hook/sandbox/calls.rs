//! The system calls that remain to a sandbox once it has its code: those by which it computes, and speaks over the socket it has.
//!
//! A guest makes none by itself: wasmtime does, for it. This is for the day on which a guest breaks out of wasmtime.

use std::io;

use rustix::process::getpid;
use rustix::thread::secure_computing_mode;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    TargetArch, apply_filter_all_threads,
};

/// Calls that are let through whatever their arguments: memory, time, chance, threads that wait for each other, and handles that are open.
/// Those of `epoll` are what the WASI of wasmtime waits by.
const FREE: [i64; 48] = [
    libc::SYS_brk,
    libc::SYS_clock_getres,
    libc::SYS_clock_gettime,
    libc::SYS_clock_nanosleep,
    libc::SYS_close,
    libc::SYS_dup,
    libc::SYS_epoll_create1,
    libc::SYS_epoll_ctl,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_eventfd2,
    libc::SYS_exit,
    libc::SYS_exit_group,
    libc::SYS_fcntl,
    libc::SYS_fstat,
    libc::SYS_futex,
    libc::SYS_get_robust_list,
    libc::SYS_getpid,
    libc::SYS_getrandom,
    libc::SYS_getrlimit,
    libc::SYS_gettid,
    libc::SYS_gettimeofday,
    libc::SYS_lseek,
    libc::SYS_madvise,
    libc::SYS_membarrier,
    libc::SYS_mmap,
    libc::SYS_mprotect,
    libc::SYS_mremap,
    libc::SYS_munmap,
    libc::SYS_nanosleep,
    libc::SYS_ppoll,
    libc::SYS_read,
    libc::SYS_readv,
    libc::SYS_recvfrom,
    libc::SYS_recvmsg,
    libc::SYS_restart_syscall,
    libc::SYS_rseq,
    libc::SYS_rt_sigaction,
    libc::SYS_rt_sigprocmask,
    libc::SYS_rt_sigreturn,
    libc::SYS_sched_getaffinity,
    libc::SYS_sched_yield,
    libc::SYS_sendto,
    libc::SYS_set_robust_list,
    libc::SYS_shutdown,
    libc::SYS_sigaltstack,
    libc::SYS_write,
    libc::SYS_writev,
];

/// The same, of processors that still have the older forms.
#[cfg(target_arch = "x86_64")]
const OLDER: [i64; 3] = [libc::SYS_epoll_wait, libc::SYS_poll, libc::SYS_time];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: [i64; 0] = [];

/// Whether the kernel can filter system calls at all.
pub(super) fn can_be_filtered() -> bool {
    secure_computing_mode().is_ok()
}

/// Leaves every thread of this process, and those to come, with these calls alone. Any other is answered as by a kernel that does not have
/// it, for which libraries have a way out, where it is one that they can do without.
///
/// # Errors
/// When the kernel, which filters calls, refuses this filter.
pub(super) fn restrict() -> io::Result<()> {
    if !can_be_filtered() {
        return Ok(());
    }
    let filter = filter().map_err(io::Error::other)?;
    apply_filter_all_threads(&filter).map_err(io::Error::other)
}

fn filter() -> Result<BpfProgram, seccompiler::BackendError> {
    let mut rules: Vec<(i64, Vec<SeccompRule>)> =
        FREE.into_iter().chain(OLDER).map(|call| (call, Vec::new())).collect();
    let argument = |number, operator, value| {
        let condition = SeccompCondition::new(number, SeccompCmpArgLen::Qword, operator, value)?;
        SeccompRule::new(vec![condition])
    };
    let thread = u64::from(libc::CLONE_THREAD.cast_unsigned());
    let own = u64::from(getpid().as_raw_nonzero().get().cast_unsigned());
    // A thread, not a process. `clone3`, whose flags a filter can't see, is told to be absent, and the C library takes this one.
    rules.push((libc::SYS_clone, vec![argument(0, SeccompCmpOp::MaskedEq(thread), thread)?]));
    // Between threads: what waits for signals is woken over such a pair.
    let unix = u64::from(libc::AF_UNIX.cast_unsigned());
    rules.push((libc::SYS_socketpair, vec![argument(0, SeccompCmpOp::Eq, unix)?]));
    // For `abort`.
    rules.push((libc::SYS_tgkill, vec![argument(0, SeccompCmpOp::Eq, own)?]));
    // Read, not set: the C library looks how large a stack may be.
    rules.push((libc::SYS_prlimit64, vec![argument(2, SeccompCmpOp::Eq, 0)?]));
    let absent = SeccompAction::Errno(libc::ENOSYS.cast_unsigned());
    SeccompFilter::new(rules.into_iter().collect(), absent, SeccompAction::Allow, ARCHITECTURE)?.try_into()
}

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: TargetArch = TargetArch::x86_64;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: TargetArch = TargetArch::aarch64;
