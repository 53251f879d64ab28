package rtsp

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"pushcart/ingest/rtsp/rtp"
	"pushcart/ingest/rtsp/sdp"
	"pushcart/media"
)

// FuzzDecodeOrder: decoding times go up, and once the depth is known they are the presentation times in order.
func FuzzDecodeOrder(f *testing.F) {
	f.Add(byte(0), []byte{3, 1, 2, 6, 4, 5, 9, 7, 8})
	f.Add(byte(1), []byte{0, 3, 1, 2, 6, 4, 5})
	f.Add(byte(2), []byte{0, 4, 2, 1, 3, 8, 6, 5, 7})
	f.Add(byte(200), []byte{9, 8, 7, 6, 5, 4, 3, 2, 1, 0})
	f.Fuzz(func(t *testing.T, depth byte, b []byte) {
		var d decodeOrder
		d.reset(int(depth))
		last := int64(-1 << 62)
		for i, v := range b {
			if v == 255 {
				d.reset(i % 20)
			}
			pts := int64(i)*1000 + int64(int8(v))*3000
			dts := d.next(pts, 3000)
			if i > 0 && dts <= last {
				t.Fatalf("picture %d: DTS %d behind %d", i, dts, last)
			}
			if len(d.row) > maxDepth+1 {
				t.Fatalf("%d times are kept", len(d.row))
			}
			last = dts
		}
	})
}

// FuzzReports: whatever reports say, times stay near to where they were.
func FuzzReports(f *testing.F) {
	f.Add(uint64(0xEC0D_5A00_8000_0000), uint32(90000), uint64(0xEC0D_5A05_8000_0000), uint32(5*90000), false)
	f.Add(uint64(1), uint32(1<<31), uint64(1<<63), uint32(0), true)
	f.Fuzz(func(t *testing.T, ntp1 uint64, ts1 uint32, ntp2 uint64, ts2 uint32, early bool) {
		begin := time.Now()
		var how fractions
		lead := &trackClock{rate: 90000, reports: senderReports{fractions: &how}}
		other := &trackClock{rate: 48000, reports: senderReports{fractions: &how}}
		lead.time(ts1, begin, begin, false)
		other.time(ts2, begin, begin, false)
		for range 3 {
			before := media.Duration(other.shift, other.rate)
			lead.report(ts1, ntp1, true)
			other.report(ts2, ntp2, early)
			other.align(lead)
			if moved := media.Duration(other.shift, other.rate) - before; moved.Abs() > maxMove+time.Millisecond {
				t.Fatalf("moved by %v", moved)
			}
			lead.captured()
		}
	})
}

// FuzzFeed sends packets of all kinds to a feed with a description of all kinds: what comes out is in order, and of
// valid form.
func FuzzFeed(f *testing.F) {
	c := clipCamera(f)
	packets := func(list []sent) []byte {
		var b []byte
		for _, p := range list {
			head := []byte{byte(p.media), 0, byte(p.Sequence)}
			if p.Marker {
				head[1] = 1
			}
			head = binary.BigEndian.AppendUint32(head, p.Timestamp)
			head = binary.BigEndian.AppendUint16(head, uint16(len(p.Payload)))
			b = append(append(b, head...), p.Payload...)
		}
		return b
	}
	film := c.film(f, time.Now(), 300*time.Millisecond)
	f.Add([]byte(c.describe()), packets(film[:min(len(film), 12)]))
	f.Add([]byte("m=video 0 RTP/AVP 96\na=rtpmap:96 AV1/90000\nm=audio 0 RTP/AVP 97\na=rtpmap:97 OPUS/48000/2\n"),
		packets([]sent{{0, rtp.Packet{Payload: []byte{0x10, 0x0a, 1, 2}, Marker: true}}, {1, rtp.Packet{Payload: []byte{0x08, 1}}}}))
	f.Add([]byte("m=audio 0 RTP/AVP 97\na=rtpmap:97 MP4A-LATM/90000\nm=video 0 RTP/AVP 96\na=rtpmap:96 H265/90000\n"),
		packets([]sent{{0, rtp.Packet{Payload: []byte{0x20, 0x00, 0x11, 0x90, 0x1f, 0xe0, 4, 1, 2}, Marker: true}}}))
	f.Add([]byte("m=audio 0 RTP/AVP 14 97\nm=audio 0 RTP/AVP 9\nm=audio 0 RTP/AVP 8\nm=audio 0 RTP/AVP 10\n"), packets([]sent{
		{0, rtp.Packet{Payload: append([]byte{0, 0, 0, 0}, mp3(44100, 2)...)}},
		{0, rtp.Packet{Sequence: 1, Timestamp: 2351, Payload: append([]byte{0, 0, 0, 0}, mp3(44100, 2)[:40]...)}},
		{0, rtp.Packet{Sequence: 2, Timestamp: 2351, Payload: append([]byte{0, 0, 0, 40}, mp3(44100, 2)[40:]...)}},
		{1, rtp.Packet{Payload: make([]byte, 160), Marker: true}},
		{2, rtp.Packet{Payload: make([]byte, 1400)}}, {2, rtp.Packet{Sequence: 3, Timestamp: 4200, Payload: make([]byte, 20)}},
		{3, rtp.Packet{Payload: make([]byte, 7)}},
	}))
	f.Fuzz(func(t *testing.T, description, b []byte) {
		s, err := sdp.Parse(description)
		if err != nil {
			return
		}
		feed, refused, err := newFeed(s, 20*time.Millisecond)
		if err != nil {
			return
		}
		show := newFakeShow()
		feed.open(show, refused)
		now := time.Unix(1000, 0)
		for len(b) >= 9 {
			n := min(int(binary.BigEndian.Uint16(b[7:])), len(b)-9)
			now = now.Add(5 * time.Millisecond)
			p := rtp.Packet{Sequence: uint16(b[2]), Marker: b[1]&1 != 0, SSRC: uint32(b[1] >> 7), Timestamp: binary.BigEndian.Uint32(b[3:]), Payload: slices.Clone(b[9 : 9+n]), Arrived: now}
			feed.push(feed.tracks[int(b[0])%len(feed.tracks)], p)
			if b[1]&2 != 0 {
				feed.senderReport(feed.tracks[int(b[0])%len(feed.tracks)], p.Timestamp, uint64(b[1])<<56|uint64(b[2])<<30)
			}
			feed.tick(now)
			b = b[9+n:]
		}
		feed.tick(now.Add(time.Minute))
		feed.close(nil)
		last := make(map[int]int64)
		for _, au := range show.units {
			track := show.track(t, au.Track)
			before, ok := last[au.Track]
			if track.Kind() == media.KindVideo {
				if ok && au.DTS <= before {
					t.Fatalf("track %d: DTS %d behind %d", au.Track, au.DTS, before)
				}
				if err := media.ValidUnit(track, au.Data); err != nil {
					t.Fatal(err)
				}
			}
			if f, err := media.ParseConfig(track); track.Codec.ForTranscoding() && (err != nil || media.UnitSamples(track.Codec, f, au.Data) < 1) {
				t.Fatalf("track %+v has a unit of %d bytes: %v", track, len(au.Data), err)
			}
			last[au.Track] = au.DTS
		}
	})
}
