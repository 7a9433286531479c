/**
 * Every maximum of the protocol and what happens at it. A number that bounds memory, time or size lives
 * here, under the name that errors, counters and docs use.
 */

/** Protocol version of datagrams and control messages; the first control message carries it. */
export const PROTOCOL_VERSION = 1;

/**
 * Largest media datagram, hop header included. A repair datagram is 14 bytes longer and still fits the
 * smallest `maxDatagramSize` seen (Firefox, 1024). Senders use min(this, the session's own maximum).
 */
export const MAX_MEDIA_DATAGRAM_BYTES = 1000;
/** Larger datagrams are dropped as `oversized`; nothing valid is longer. */
export const MAX_DATAGRAM_BYTES = 1500;
/** Datagrams of one access unit; a larger access unit is refused by the packetizer. */
export const MAX_FRAGMENTS = 2048;
/** Largest access unit in bytes (a 4K keyframe); refused by the packetizer above it. */
export const MAX_ACCESS_UNIT_BYTES = 1_500_000;
/** Frame ids between a unit and the newest one that it needs; the packetizer refuses more. */
export const MAX_REFERENCE_DISTANCE = 7;
/** Picture codecs that a participant may name in hello; a longer list is a protocol error. */
export const MAX_PICTURE_CODECS = 8;
/** Source plus repair symbols of one FEC block. */
export const MAX_BLOCK_SYMBOLS = 255;
/** Symbols that one memory for FEC blocks can be made for; more is a RangeError. Above what it was made for: `store-full`. */
export const MAX_STORED_SYMBOLS = 1_000_000;
/** Longest symbol that it can be made for; more is a RangeError. Above what it was made for: `symbol-length`. */
export const MAX_SYMBOL_BYTES = 60_000;
/** Redundant audio frames in one datagram; a datagram that says more is malformed. */
export const MAX_REDUNDANT_FRAMES = 6;
/** Access units being put together at once per track; the oldest is abandoned (`abandoned`). */
export const MAX_PARTIAL_ACCESS_UNITS = 64;

/** One control message; a longer one closes the session with `message-too-large`. */
export const MAX_CONTROL_MESSAGE_BYTES = 64 * 1024;
/** Control messages a second that one session may send before it is closed with `too-many-messages`. */
export const MAX_CONTROL_MESSAGES_PER_SECOND = 200;
/** Burst above that rate. */
export const MAX_CONTROL_MESSAGE_BURST = 400;
/** Bytes waiting in one control stream's writer; above it the session is closed with `slow-reader`. */
export const MAX_CONTROL_QUEUE_BYTES = 1024 * 1024;
/** Time from session start to a verified hello; after it the session is closed with `hello-timeout`. */
export const HELLO_TIMEOUT_MS = 5_000;
/** UTF-8 of a close reason; a longer one is cut between characters. */
export const MAX_CLOSE_REASON_BYTES = 512;
/** Sessions that have not said a valid hello; further ones are refused with 503. */
export const MAX_UNAUTHENTICATED_SESSIONS = 1_000;

/** Identity, room name, display name, topic: characters. */
export const MAX_IDENTITY_CHARS = 64;
export const MAX_ROOM_CHARS = 64;
export const MAX_NAME_CHARS = 64;
export const MAX_TOPIC_CHARS = 64;
/** Token or ticket: characters. */
export const MAX_TOKEN_CHARS = 4096;
/** Room data message (chat): bytes of payload. */
export const MAX_DATA_BYTES = 32 * 1024;
/** Room data bytes a second that one participant may send; a message above it fails with `unavailable`. */
export const MAX_DATA_BYTES_PER_SECOND = 128 * 1024;
/** Burst above that rate. */
export const MAX_DATA_BURST_BYTES = 512 * 1024;
/** Tracks that one participant may publish at once; a further publish is refused with `too-many-tracks`. */
export const MAX_TRACKS_PER_PARTICIPANT = 16;
/** Subscriptions of one participant; a further one is refused with `too-many-subscriptions`. */
export const MAX_SUBSCRIPTIONS_PER_PARTICIPANT = 512;
/** Requests of a participant that wait for an answer, or for a session; further ones fail with `unavailable`. */
export const MAX_WAITING_REQUESTS = 1_000;
/** Participants of one room on one relay; a further hello is closed with `room-full`. */
export const MAX_PARTICIPANTS_PER_ROOM = 2_000;
/** Rooms on one relay; a further one is closed with `relay-full`. */
export const MAX_ROOMS_PER_RELAY = 10_000;
/** Bits a second of one rendition, as offered and as limited. */
export const MAX_RENDITION_BPS = 200_000_000;
/** Lanes that one session may have beside itself; a further one is closed with `protocol-error`. */
export const MAX_LANES = 6;
/** URL path of a lane, with its key behind. */
export const LANE_PATH = "/lane/";
/** Datagrams a second accepted from one session; above it they are dropped as `rate-limited`. */
export const MAX_INGRESS_DATAGRAMS_PER_SECOND = 6_000;
/** Burst above that rate. */
export const MAX_INGRESS_DATAGRAM_BURST = 3_000;

/** Diagnoses that a relay serves at once; a further one is closed with `relay-full`. */
export const MAX_DIAGNOSES_PER_RELAY = 16;
/** A diagnosis session that lasts longer is closed with `normal`. */
export const MAX_DIAGNOSIS_MS = 15_000;
/** Bits a second of a diagnosis, each way: the relay sends no more, and drops what comes above it as `rate-limited`. */
export const MAX_DIAGNOSIS_BPS = 4_000_000;
/** Burst above that rate, bytes. */
export const MAX_DIAGNOSIS_BURST_BYTES = 250_000;
/** How long a relay sends load for one diagnosis, in all; a request beyond is cut to what is left of it. */
export const MAX_DIAGNOSIS_LOAD_MS = 3_000;

/** URL path of a link between two relays. */
export const TREE_PATH = "/tree";
/** Relays from the root of a room to the lowest; whoever would be lower is sent elsewhere, or refused with `tree-refused`. */
export const MAX_TREE_DEPTH = 6;
/** Relays attached to one relay of a room; a further one is sent on to one of them. */
export const MAX_CHILD_LINKS = 8;
/** Relays of one room; a further one is refused with `tree-refused`. */
export const MAX_RELAYS_PER_ROOM = 256;
/** Control messages a second from another relay; more end the link with `too-many-messages`. */
export const MAX_TREE_MESSAGES_PER_SECOND = 5_000;
/** Burst above that rate: all participants of the largest room, and more. */
export const MAX_TREE_MESSAGE_BURST = 20_000;
/** Participants that one link may offer; more end it with `protocol-error`. Twice a room: relays that admit at one moment may exceed it together. */
export const MAX_OFFERS_PER_LINK = 2 * MAX_PARTICIPANTS_PER_ROOM;
/** Questions about other relays that wait for an answer from above; further ones are answered with no. */
export const MAX_OPEN_VOUCHES = 256;
/** Datagrams a second taken from another relay; above it they are dropped as `rate-limited`. */
export const MAX_LINK_INGRESS_DATAGRAMS_PER_SECOND = 200_000;
/** Bytes that may wait in the control stream between two relays; above it the link is closed with `slow-reader`. */
export const MAX_TREE_QUEUE_BYTES = 8 * 1024 * 1024;
/** Room data messages whose ids a relay remembers per room, to tell repetitions while the tree changes. */
export const MAX_REMEMBERED_DATA_IDS = 512;

/** Datagram bytes kept per track rendition since its last keyframe; above it the cache is emptied until the next. */
export const MAX_GOP_CACHE_BYTES = 3 * 1024 * 1024;
/** Datagrams of the same. */
export const MAX_GOP_CACHE_DATAGRAMS = 4_000;
/** GOP caches of one relay together; above it caches do not grow and are emptied until their next keyframe. */
export const MAX_GOP_CACHE_BYTES_PER_RELAY = 512 * 1024 * 1024;
/** Least time between two keyframe requests to one publisher for one rendition. */
export const KEYFRAME_REQUEST_INTERVAL_MS = 500;

/** Datagram writes pending in a session before it refuses more (`queue-full`). */
export const MAX_PENDING_DATAGRAMS = 512;
/** Datagrams of pictures that wait in a publisher's pacer; at more, new ones are lost and a keyframe is made. */
export const MAX_PACED_DATAGRAMS = 512;
/**
 * Sessions over TCP (docs/wire.md, "Sessions over TCP"). One message; a longer one ends the session with
 * `protocol-error`. Not more than 8 KiB: implementations below cut longer writes off without a word.
 */
export const MAX_TCP_MESSAGE_BYTES = 8 * 1024;
/** Bytes that wait in a socket before its session keeps what is to be sent to itself; datagrams are then refused as `queue-full`. */
export const MAX_TCP_WAITING_BYTES = 64 * 1024;
/** Bytes that wait in a socket although nothing more is given to it (answers to pings); above it the connection is cut. */
export const MAX_TCP_SOCKET_BYTES = 1024 * 1024;
/** Streams that either side of such a session may have open at once; one more ends it with `protocol-error`. */
export const MAX_TCP_STREAMS = 16;
/** Bytes of one stream that were sent and not yet read; its sender waits, and more end the session with `protocol-error`. */
export const TCP_STREAM_WINDOW_BYTES = 128 * 1024;
/** A side that has sent nothing for so long says that it is there. */
export const TCP_KEEP_ALIVE_MS = 2_500;
/** A side that has heard nothing for so many of these times takes the session for lost. */
export const MAX_TCP_SILENT_PERIODS = 4;
/** TCP connections of one relay; one more is cut at once (`too-many-connections`). */
export const MAX_TCP_CONNECTIONS = 4_096;
/** Of them those without a session; one more is cut at once (`too-many-half-open`). */
export const MAX_TCP_HALF_OPEN = 512;
/** Sessions over one connection, as HTTP/2 can have them; one more is refused with 503 (`too-many-sessions`). */
export const MAX_TCP_SESSIONS_PER_CONNECTION = 16;
/** A connection that has no session by then, or for so long, is cut (`no-session-in-time`). */
export const TCP_CONNECT_TIMEOUT_MS = 8_000;
/** How long the last bytes of a closed session have to leave; then its connection is cut. */
export const TCP_CLOSE_LINGER_MS = 1_000;

/** Bytes sent on a link and neither reported received nor lost; above it media is dropped as `link-congested`. */
export const MAX_LINK_OUTSTANDING_BYTES = 1024 * 1024;
/**
 * Over TCP: when the oldest datagram of a link that is not reported has waited for so long beyond the round trip, further pictures are
 * dropped as `link-congested`; sound after twice that. A report may take 200 ms by itself.
 */
export const MAX_RELIABLE_WAIT_MS = 400;
/** Time between two receiver reports while datagrams arrive. */
export const REPORT_INTERVAL_MS = 50;
/** Longest silence of a link on a road that works: a side that has sent nothing for 200 ms sends a probe. After it a participant looks for another road. */
export const MAX_SILENCE_MS = 450;
/** The same over TCP, where a lost segment that is lost again holds everything up for so long (RFC 6298). */
export const MAX_SILENCE_OVER_TCP_MS = 1_200;
/** Arrivals listed in one receiver report; older ones are counted, not listed. */
export const MAX_REPORTED_ARRIVALS = 400;
/** Remembered send times a link needs to read reports; older ones cannot be matched. */
export const SEND_HISTORY_DATAGRAMS = 4_096;

/** A relay ticket is valid this long after the gateway made it, once. */
export const RELAY_TICKET_SECONDS = 60;
/** A resume ticket is valid this long after the relay made it, once. A network may be away for so long. */
export const RESUME_TICKET_SECONDS = 300;
/** A participant is given another one so often, so that the newest is valid for two thirds of its time at least. */
export const RESUME_RENEWAL_MS = 100_000;
/** Remembered one-use tickets of a kind on a relay; above it new hellos are refused with `relay-full`. */
export const MAX_REMEMBERED_TICKETS = 200_000;
/** Join tokens of removed participants that a relay remembers by itself; above it the oldest is left to the directory. */
export const MAX_REMEMBERED_BANS = 100_000;
/** Longest life of a join token that the gateway mints. */
export const MAX_JOIN_TOKEN_SECONDS = 7 * 24 * 3600;

/** Source symbols of one FEC block; the packetizer begins a new block behind them. */
export const MAX_SOURCE_SYMBOLS = 64;
/** FEC blocks kept per track rendition for repair, a power of two; older ones can neither be restored nor asked for. */
export const MAX_HISTORY_BLOCKS = 64;
/** Age at which a kept block is let go of. */
export const RECOVERY_HISTORY_MS = 1_500;
/** Symbols kept for repair by one relay, 1 KiB each; above it a track's oldest blocks are let go of early. */
export const MAX_RECOVERY_SYMBOLS_PER_RELAY = 32_768;
/** The same of one participant. */
export const MAX_RECOVERY_SYMBOLS_PER_PARTICIPANT = 8_192;
/** Answers waiting to be sent per track rendition and link; above it a NACK is not answered (`queue-full`). */
export const MAX_PENDING_REPAIRS = 64;
/** NACKs for one block; after them the receiver waits for its deadline only. */
export const MAX_NACK_GENERATIONS = 100;
/** Wholly lost blocks in a row that are asked for; of a longer gap only the newest. */
export const MAX_LOST_BLOCKS = 24;

/** Room events that wait on a relay to be taken by the application; further ones are dropped as `queue-full`. */
export const MAX_QUEUED_EVENTS = 10_000;
/** An event that nobody has taken for so long is dropped as `too-old`. */
export const MAX_EVENT_AGE_MS = 10 * 60_000;
/** Events that a relay posts at once, of different rooms; others wait for their turn. */
export const MAX_EVENT_POSTS = 8;
/** Events of one room that a relay remembers in case it becomes the root soon; the oldest is forgotten. */
export const MAX_RECENT_EVENTS = 512;
/** Bytes of one event as JSON; a larger one is refused. */
export const MAX_EVENT_BYTES = 4 * 1024;
/** A token of a relay that posts an event is valid for so long. */
export const EVENT_TOKEN_SECONDS = 30;

/** RTMP targets of one output; a job with more is refused. */
export const MAX_RTMP_TARGETS = 8;
/** Participants whose loudness in a mix is set by hand; a job with more is refused. */
export const MAX_MIX_GAINS = 256;
/** A URL in a job, record or status: characters. */
export const MAX_URL_CHARS = 2_048;
/** What a job's status says for people: characters; a longer sentence is cut. */
export const MAX_STATUS_CHARS = 500;
/** Outputs and ingests of a cluster; a further one is refused with `too-many-jobs`. */
export const MAX_BRIDGE_JOBS = 10_000;
/** Recordings of one answer; older ones are on the next page. */
export const MAX_LISTED_RECORDINGS = 1_000;
/** Bytes of the recordings of one answer of a bridge, as JSON; what would be above them is on the next page. */
export const MAX_RECORDING_PAGE_BYTES = 4 * 1024 * 1024;
/** Names in what players of an MP3 are told of who speaks; others who speak at the same time are left out. */
export const MAX_HEARD_NAMES = 3;
