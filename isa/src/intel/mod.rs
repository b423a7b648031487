//! What x86 and x64 share.
