package metrics

// The program.
var (
	BuildInfo = gauge("build_info", "Always 1; the labels say what is running.", "version", "go")
)

// Shows. A show's series are there while it is on and, with state "ended", as long as it can be watched.
var (
	Streams = gauge("streams", "Shows by state: waiting, live, interrupted, ended.", "state")

	StreamViewers   = gauge("stream_viewers", "Players that are watching through this server, estimated from their playlist requests.", "stream")
	StreamBytes     = counter("stream_received_bytes_total", "Bytes of media and data that the show's hosts have sent.", "stream")
	StreamSessions  = counter("stream_sessions_total", "Connections that have published the show.", "stream")
	StreamRepairs   = counter("stream_repairs_total", "What had to be mended in the show's timing and media, by kind.", "stream", "repair")
	StreamByteRate  = gauge("stream_track_bytes_per_second", "Bytes a second of a track over the last few seconds.", "stream", "track", "kind")
	StreamFrameRate = gauge("stream_track_frames_per_second", "Access units a second of a track over the last few seconds.", "stream", "track", "kind")
	StreamGOP       = gauge("stream_keyframe_interval_seconds", "Time between the last two keyframes of a video track.", "stream", "track")
)

// The ladder that the server makes itself; a series for each rung of each show that has one.
var (
	LadderFailures = counter("ladder_failures_total", "Times that ffmpeg has died, hung or fallen behind.", "stream")
	LadderRung     = gauge("ladder_rung_on", "Whether the rung is in the show.", "stream", "rung")
	LadderLag      = gauge("ladder_rung_lag_seconds", "How far the rung is behind the host's own rendition, in media time.", "stream", "rung")
)

// Sound that the server makes itself; a series for each role: "sound", "mix@fr".
var (
	SoundFailures = counter("sound_failures_total", "Times that ffmpeg has died, hung or fallen behind.", "stream", "role")
	SoundOn       = gauge("sound_on", "Whether what ffmpeg makes is in the show.", "stream", "role")
	SoundLag      = gauge("sound_lag_seconds", "How far it is behind what it is made of, in media time.", "stream", "role")
)

// The RTMP door, RTMPS included.
var (
	RTMPConnections = gauge("rtmp_connections", "Open connections.")
	RTMPPublishing  = gauge("rtmp_publishing", "Connections whose publish has been let in.")
	RTMPAccepted    = counter("rtmp_accepted_total", "Connections that there have been.")
	RTMPRefused     = counter("rtmp_refused_total", "Connections and publishes that were turned down.")
	RTMPMalformed   = counter("rtmp_malformed_total", "Messages and frames that were dropped because they made no sense or were too long.")
	RTMPBytes       = counter("rtmp_received_bytes_total", "Bytes received.")

	RTSPConnections = gauge("rtsp_connections", "Open connections.")
	RTSPPublishing  = gauge("rtsp_publishing", "Sessions whose host sends media.")
	RTSPAccepted    = counter("rtsp_accepted_total", "Connections that there have been.")
	RTSPRefused     = counter("rtsp_refused_total", "Connections and publishes that were turned down.")
	RTSPBytes       = counter("rtsp_received_bytes_total", "Bytes received by TCP.")
	PullUp          = gauge("pull_up", "1 while a stream of the configuration is being fetched.", "stream")
	PullTries       = counter("pull_tries_total", "Connections to the source that were made or tried.", "stream")
)

// Cues.
var (
	CueWrites       = counter("cue_writes_total", "Writes of the API, by what they did: created, revised, undone, refused.", "result")
	CueMessages     = counter("cue_host_messages_total", "Data messages of hosts' encoders, by what became of them: cue, ignored, refused, dropped.", "result")
	CueJournalBytes = counter("cue_journal_written_bytes_total", "Bytes written to the journals of cues.")
	CueJournalFails = counter("cue_journal_errors_total", "Writes to the journals of cues that have failed: what they were for was refused.")
)

// The origin.
var (
	OriginRequests    = counter("origin_requests_total", "Requests answered, by kind and status; 499 is a viewer who did not wait.", "kind", "status")
	OriginBytes       = counter("origin_sent_bytes_total", "Bytes of bodies sent, by kind.", "kind")
	OriginConnections = gauge("origin_connections", "Open connections.")
	OriginRefused     = counter("origin_connections_refused_total", "Connections closed because there were too many.")
	OriginWaiting     = gauge("origin_waiting", "Requests that wait for a part or a playlist.")
	OriginListening   = gauge("origin_listening", "Connections that are told prices, stock and changes of cues as they happen.")
	OriginWaits       = counter("origin_waits_total", "Requests that have waited.")
	OriginWaitTime    = counter("origin_wait_seconds_total", "Time that requests have waited, altogether.")
)
