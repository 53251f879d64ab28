package main

import (
	"fmt"
	"time"

	"pushcart/bench/show"
)

// message is one RTMP message and when it is due.
type message struct {
	at      time.Duration // since the start of the show
	body    *body
	picture int    // the picture's number, -1 if it is something else
	cue     string // the cue's id, if it is one
}

// source makes the messages of a show in order. Each publisher has one of its own; bodies are shared.
type source interface {
	// next returns the next message, false at the end. Messages at zero come first.
	next() (message, bool)
}

// synthetic is a show of package show as RTMP bodies.
type synthetic struct {
	*show.Show
	start    []*body // metadata and codec configurations
	pictures []*body
	sound    *body // nil: video only
}

// newSynthetic wraps s. Chunks of the bodies are chunkSize long.
func newSynthetic(s *show.Show, chunkSize int, audio bool) *synthetic {
	syn := &synthetic{Show: s}
	meta := array{{"duration", 0}, {"width", s.Width}, {"height", s.Height}, {"framerate", s.FrameRate},
		{"videocodecid", 7}, {"videodatarate", float64(s.VideoBits) / 1000}, {"encoder", "push"}}
	if audio {
		meta = append(meta, field{"audiocodecid", 10}, field{"audiodatarate", float64(s.AudioBits) / 1000},
			field{"audiosamplerate", show.SampleRate}, field{"audiochannels", 2}, field{"stereo", true})
	}
	syn.start = []*body{
		newBody(msgData, appendAMF(nil, "@setDataFrame", "onMetaData", meta), chunkSize),
		newBody(msgVideo, append([]byte{0x17, 0, 0, 0, 0}, s.AVCConfig...), chunkSize),
	}
	if audio {
		syn.start = append(syn.start, newBody(msgAudio, append([]byte{0xaf, 0}, s.AACConfig...), chunkSize))
		syn.sound = newBody(msgAudio, append([]byte{0xaf, 1}, s.Sound...), chunkSize)
	}
	for _, p := range s.Pictures {
		tag := []byte{0x27, 1, 0, 0, 0}
		if p.Key {
			tag[0] = 0x17
		}
		syn.pictures = append(syn.pictures, newBody(msgVideo, append(tag, p.Data...), chunkSize))
	}
	return syn
}

// syntheticCursor walks over a synthetic show for ever.
type syntheticCursor struct {
	*synthetic
	started, picture, sounds int
}

func (c *syntheticCursor) next() (message, bool) {
	if c.started < len(c.start) {
		c.started++
		return message{body: c.start[c.started-1], picture: -1}, true
	}
	at := c.PictureTime(c.picture)
	if c.sound != nil && c.SoundTime(c.sounds) < at {
		c.sounds++
		return message{at: c.SoundTime(c.sounds - 1), body: c.sound, picture: -1}, true
	}
	i := c.picture % len(c.pictures)
	c.picture++
	return message{at: at, body: c.pictures[i], picture: i}, true
}

// withCues adds a data message every so often.
type withCues struct {
	source
	every     time.Duration
	handler   string
	stream    int
	chunkSize int
	count     int
	held      *message // of the source, while cues come first
}

func (c *withCues) next() (message, bool) {
	if c.held == nil {
		m, ok := c.source.next()
		if !ok {
			return m, false
		}
		c.held = &m
	}
	due := time.Duration(c.count+1) * c.every
	if c.held.at < due {
		m := *c.held
		c.held = nil
		return m, true
	}
	c.count++
	id := fmt.Sprintf("cue-%d-%d", c.stream, c.count)
	payload := appendAMF(nil, c.handler, object{{"name", id}, {"time", due.Seconds()}, {"type", "event"},
		{"parameters", object{{"n", c.count}}}})
	return message{at: due, body: newBody(msgData, payload, c.chunkSize), picture: -1, cue: id}, true
}
