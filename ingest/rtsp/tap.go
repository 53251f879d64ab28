package rtsp

import (
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/description"
	"github.com/bluenviron/gortsplib/v4/pkg/format"
	pionrtp "github.com/pion/rtp"

	"pushcart/ingest/rtsp/rtp"
)

// tap is a format that passes packets on as they come off the wire. gortsplib's own row of them is not good
// enough: it drops whatever has another SSRC than the first packet, for good; it waits for 64 packets behind a
// gap, which for sound is more than a second; and of 64 packets out of order it takes the rest for lost. It asks
// a packet's format whether its PTS is its DTS before it looks at anything else, and that is where we
// listen; what it makes of the packets afterwards nobody asks for but its receiver reports.
type tap struct {
	format.Format
	feed  *feed
	track *track
}

// PTSEqualsDTS takes a packet.
func (t *tap) PTSEqualsDTS(p *pionrtp.Packet) bool {
	t.feed.push(t.track, rtp.Packet{
		Sequence: p.SequenceNumber, Timestamp: p.Timestamp, SSRC: p.SSRC, Marker: p.Marker,
		Payload: p.Payload, Arrived: time.Now(),
	})
	return true
}

// tap listens to the packets of media section i, if it is one of the feed's tracks.
func (f *feed) tap(i int, m *description.Media) {
	t := f.track(i)
	if t == nil {
		return
	}
	for j, format := range m.Formats {
		if int(format.PayloadType()) == t.payload {
			m.Formats[j] = &tap{format, f, t}
			return
		}
	}
}

// inOrder says that packets come by TCP.
func (f *feed) inOrder() {
	for _, t := range f.tracks {
		t.sequence.Wait = 0
	}
}
