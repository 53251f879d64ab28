// Package ingest is where hosts come in: it turns what a door (ingest/rtmp, ingest/rtsp) read off the
// wire into access units on the show's one timeline.
//
// A door asks the Desk for a Session when a host wants to publish, tells it of tracks and writes units
// with the times that the encoder gave them. The session gathers the tracks, waits for the first
// keyframe, and repairs the clock (clock.go). Nothing behind it repairs anything.
package ingest

import (
	"net/netip"

	"pushcart/media"
)

// Request is a host's wish to publish.
type Request struct {
	// Protocol is the door's name: "rtmp", "rtmps", "rtsp", "rtsps".
	Protocol string
	// Remote is the host's address.
	Remote netip.AddrPort
	// App is the first path element, "live" by contract; Key is the stream key without query, with all the
	// path elements that follow (KEY/720p); Query is what followed a question mark in either, without the mark.
	App, Key, Query string
	// Agent is what the encoder calls itself, for the log and the operator; may be empty.
	Agent string
}

// Refusal is the error of a publish that was turned down. Its text is one sentence that says what is
// wrong and what the host can do; doors send it to the encoder as it is.
type Refusal struct{ Reason string }

// Error returns the sentence.
func (r *Refusal) Error() string { return r.Reason }

// Publisher is what a door writes to. *Session implements it; doors' tests use their own.
//
// Its methods are called from one goroutine, and never wait for a reader.
type Publisher interface {
	// SetTrack announces a track or its new configuration. Track IDs are the door's own, at least 1.
	// The Timescale is that of the times the door is going to write (1000 for RTMP). A track that is
	// announced again without a change is no news. An error means that the track can't be carried
	// (its text says why and what to set on the encoder); the publish goes on without it.
	SetTrack(t media.Track) error
	// Expect says which kinds of track the encoder has promised (onMetaData, SDP), so that the show
	// can start without waiting for others, and not before these. Optional; the last call counts.
	Expect(video, audio bool)
	// Write hands on one unit with the encoder's own DTS and PTS. Times may wrap, jump and repeat: the
	// session repairs that. au.Data belongs to the session from here on. Units of tracks that were
	// not announced, or were refused, are dropped. Errors are final: the door closes the connection.
	Write(au media.AccessUnit) error
	// Done is closed when the session has been ended from the other side: a takeover by the same
	// key, an operator's cut, shutdown. Err says why, in a sentence.
	Done() <-chan struct{}
	Err() error
	// Close leaves the show. why is nil if the host said goodbye, else what went wrong.
	Close(why error)
}

// TrackCounter is what a Publisher may be besides, for doors that know how many tracks are to come.
type TrackCounter interface {
	// ExpectTracks says how many tracks of each kind the encoder has promised, in the place of Expect.
	ExpectTracks(video, audio int)
}

// Opener lets hosts in. *Desk implements it.
type Opener interface {
	// Open authorises r and returns a session, or a *Refusal. It does not block. A session of the
	// same key that is still open is taken over: its Done channel is closed.
	Open(r Request) (Publisher, error)
}
