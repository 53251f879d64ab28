// Package sdp reads session descriptions (RFC 8866) as cameras and encoders write them, which is not always
// as the RFC does: a line that makes no sense is passed over, and what is not there is not needed.
//
// Only what RTSP doors need is read. Plain writes a description that has no more in it than that, so that a
// stricter reader behind this one has nothing to stumble over.
package sdp

import (
	"bytes"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// Limits of what Parse reads.
const (
	// MaxBytes bounds a description; ONVIF cameras' have one or two KiB.
	MaxBytes = 16 << 10
	// MaxMedia bounds its media sections.
	MaxMedia   = 16
	maxFormats = 16 // of one media section
	maxParams  = 64 // of one format
	maxLine    = 4 << 10
)

// Session is a description.
type Session struct {
	Control string // of the session; empty: none
	Media   []Media
}

// Media is one stream that is offered.
type Media struct {
	Kind    string // "video", "audio", "application", in lower case
	Control string
	Formats []Format
	// BackChannel says that it is for sound to the camera.
	BackChannel bool
}

// Format is one way in which the stream may be coded.
type Format struct {
	PayloadType int
	Encoding    string // in upper case: "H264", "MPEG4-GENERIC"; empty if nothing says
	Clock       int    // Hz; zero if nothing says
	Channels    int    // zero if nothing says
	Params      map[string]string
}

// Param returns a parameter of the format (a=fmtp), whose name is in lower case.
func (f Format) Param(name string) string { return f.Params[name] }

// Int returns a parameter that is a number, or def if it is none.
func (f Format) Int(name string, def int) int {
	n, err := strconv.Atoi(strings.TrimSpace(f.Params[name]))
	if err != nil || n < 0 {
		return def
	}
	return n
}

// static are the payload types that need no a=rtpmap (RFC 3551 section 6), as far as cameras use them.
var static = map[int]Format{
	0: {Encoding: "PCMU", Clock: 8000}, 3: {Encoding: "GSM", Clock: 8000}, 4: {Encoding: "G723", Clock: 8000},
	8: {Encoding: "PCMA", Clock: 8000}, 9: {Encoding: "G722", Clock: 8000}, 10: {Encoding: "L16", Clock: 44100, Channels: 2},
	11: {Encoding: "L16", Clock: 44100}, 14: {Encoding: "MPA", Clock: 90000}, 15: {Encoding: "G728", Clock: 8000},
	18: {Encoding: "G729", Clock: 8000}, 26: {Encoding: "JPEG", Clock: 90000}, 32: {Encoding: "MPV", Clock: 90000},
	33: {Encoding: "MP2T", Clock: 90000}, 34: {Encoding: "H263", Clock: 90000},
}

// What Parse says no with.
var (
	errLong  = fmt.Errorf("the description is longer than %d KiB", MaxBytes>>10)
	errMany  = fmt.Errorf("the description has more than %d streams", MaxMedia)
	errEmpty = errors.New("the description has no streams")
)

// Parse reads a description. Its strings do not share b's memory.
func Parse(b []byte) (Session, error) {
	if len(b) > MaxBytes {
		return Session{}, errLong
	}
	var s Session
	for line := range bytes.SplitSeq(b, []byte("\n")) {
		line = bytes.TrimRight(line, "\r \x00")
		if len(line) < 3 || line[1] != '=' || len(line) > maxLine || bytes.ContainsFunc(line, unicode.IsControl) {
			continue
		}
		switch value := string(bytes.ToValidUTF8(line[2:], []byte("?"))); line[0] {
		case 'm':
			if len(s.Media) == MaxMedia {
				return Session{}, errMany
			}
			s.Media = append(s.Media, parseMedia(value))
		case 'a':
			s.attribute(value)
		}
	}
	if len(s.Media) == 0 {
		return Session{}, errEmpty
	}
	return s, nil
}

// parseMedia reads "video 0 RTP/AVP 96 97".
func parseMedia(value string) Media {
	words := strings.Fields(value)
	if len(words) == 0 {
		return Media{}
	}
	m := Media{Kind: strings.ToLower(words[0])}
	for _, w := range words[min(len(words), 3):] {
		const maxPayloadType = 127
		n, err := strconv.Atoi(w)
		if err != nil || n < 0 || n > maxPayloadType || len(m.Formats) == maxFormats {
			continue
		}
		f := static[n]
		f.PayloadType = n
		m.Formats = append(m.Formats, f)
	}
	return m
}

func (s *Session) attribute(value string) {
	name, value, _ := strings.Cut(value, ":")
	value = strings.TrimSpace(value)
	if len(s.Media) == 0 {
		if name == "control" {
			s.Control = value
		}
		return
	}
	m := &s.Media[len(s.Media)-1]
	switch name {
	case "control":
		m.Control = value
	case "sendonly":
		m.BackChannel = true
	case "rtpmap":
		if f, rest := m.format(value); f != nil {
			f.rtpmap(rest)
		}
	case "fmtp":
		if f, rest := m.format(value); f != nil {
			f.fmtp(rest)
		}
	}
}

// format finds the format that an attribute is about.
func (m *Media) format(value string) (f *Format, rest string) {
	word, rest, _ := strings.Cut(value, " ")
	n, err := strconv.Atoi(word)
	if err != nil {
		return nil, ""
	}
	for i := range m.Formats {
		if m.Formats[i].PayloadType == n {
			return &m.Formats[i], strings.TrimSpace(rest)
		}
	}
	return nil, ""
}

// rtpmap reads "MPEG4-GENERIC/48000/2".
func (f *Format) rtpmap(value string) {
	parts := strings.Split(value, "/")
	f.Encoding, f.Clock, f.Channels = strings.ToUpper(strings.TrimSpace(parts[0])), 0, 0
	const maxClock, maxChannels = 1 << 24, 1 << 16
	if len(parts) > 1 {
		if n, err := strconv.Atoi(strings.TrimSpace(parts[1])); err == nil && n > 0 && n <= maxClock {
			f.Clock = n
		}
	}
	if len(parts) > 2 {
		if n, _ := strconv.Atoi(strings.TrimSpace(parts[2])); n > 0 {
			f.Channels = min(n, maxChannels) // too many of them are somebody else's to refuse
		}
	}
}

// fmtp reads "packetization-mode=1; sprop-parameter-sets=Z0Lg,aM4=".
func (f *Format) fmtp(value string) {
	if f.Params == nil {
		f.Params = make(map[string]string)
	}
	for part := range strings.SplitSeq(value, ";") {
		name, v, ok := strings.Cut(part, "=")
		if !ok || len(f.Params) == maxParams {
			continue
		}
		f.Params[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(v)
	}
}

// Plain writes a description with the same streams, controls, payload types and clocks, and nothing else.
// Every stream has a format, and every format a name that means nothing.
func (s Session) Plain() []byte {
	const spare = 127 // for a stream without a format that we understand
	b := []byte("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n")
	if s.Control != "" {
		b = fmt.Appendf(b, "a=control:%s\r\n", s.Control)
	}
	for _, m := range s.Media {
		kind := m.Kind
		if kind != "video" && kind != "audio" {
			kind = "application"
		}
		formats := m.Formats
		if len(formats) == 0 {
			formats = []Format{{PayloadType: spare}}
		}
		b = fmt.Appendf(b, "m=%s 0 RTP/AVP", kind)
		for _, f := range formats {
			b = fmt.Appendf(b, " %d", f.PayloadType)
		}
		b = append(b, "\r\n"...)
		if m.BackChannel {
			b = append(b, "a=sendonly\r\n"...)
		}
		for _, f := range formats {
			clock := f.Clock
			if clock == 0 {
				clock = 90000
			}
			b = fmt.Appendf(b, "a=rtpmap:%d PLAIN/%d\r\n", f.PayloadType, clock)
		}
		if m.Control != "" {
			b = fmt.Appendf(b, "a=control:%s\r\n", m.Control)
		}
	}
	return b
}
