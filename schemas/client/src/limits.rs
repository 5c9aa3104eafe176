//! Every bound of the client, with its reason.

use std::time::Duration;

use holdfast_schemas::routes::agent::NEWS_HOLD_S;

/// Longest wait for a TCP connection and its TLS handshake. A SYN that is lost twice is sent
/// again after 3 s; more than three losses is a network that the next try meets in a better hour.
pub const CONNECT_DEADLINE: Duration = Duration::from_secs(10);

/// Longest wait for an ordinary answer, its body included.
pub const ANSWER_DEADLINE: Duration = Duration::from_secs(30);

/// Longest wait for news: as long as the server may hold the request, and time for the way.
pub const NEWS_DEADLINE: Duration = Duration::from_secs(NEWS_HOLD_S + 15);

/// Longest wait for the next piece of a blob. A large one on a slow line takes as long as it
/// takes; one that stands still for this long is given up and resumed.
pub const BLOB_STALL: Duration = Duration::from_secs(30);

/// How long data that was sent may stay unacknowledged before the connection counts as dead, so
/// that a server that vanished without a word is noticed before the next deadline.
pub const UNACKNOWLEDGED: Duration = Duration::from_secs(20);

/// How long an unused connection is kept: a little over the longest ordinary check-in interval
/// would keep a socket per host on the server for nothing, so only as long as news are held.
pub const IDLE_CONNECTION: Duration = Duration::from_secs(90);

/// Largest answer to an agent, in bytes, blobs apart: an identity with its chain, or a signed
/// envelope, is a few KiB.
pub const MAX_AGENT_ANSWER: usize = 256 * 1024;

/// Largest answer to an operator, in bytes: a page of reports, the largest thing there is.
pub const MAX_OPERATOR_ANSWER: usize = 64 * 1024 * 1024;

/// Largest blob, in bytes, whatever the server says: four times what a site may hold.
pub const MAX_BLOB: u64 = 1024 * 1024 * 1024;

/// Flow-control window of a stream, in bytes: what one blob may have in memory unread. A line of
/// 1 Gbit/s and 2 ms is full with it, and an idle agent stays small.
pub const STREAM_WINDOW: u32 = 256 * 1024;

/// Flow-control window of a connection, in bytes: two streams at full speed.
pub const CONNECTION_WINDOW: u32 = 512 * 1024;
