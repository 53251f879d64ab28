package rtsp

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph264"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtph265"
	"github.com/bluenviron/gortsplib/v4/pkg/format/rtpmpeg4audio"
	pion "github.com/pion/rtp"

	"pushcart/ingest/rtsp/rtp"
	"pushcart/ingest/rtsp/sdp"
	"pushcart/media"
	"pushcart/media/mediatest"
)

// fakeCamera sends a clip over and over, on a clock of the test's own: half an hour of it takes a second.
type fakeCamera struct {
	clip       string // video; "h264b" if empty
	noSets     bool   // no parameter sets in the description
	sets       [][]byte
	inBand     bool // parameter sets before each keyframe
	perSlice   bool // and the keyframe's slice twice over, each with them, as GStreamer does with many slices
	videoStart uint32
	audioStart uint32
	sequence   uint16
	audioDelay time.Duration // sound comes so much later than the picture of the same moment
	soundSlow  float64       // so much slower is the clock of the sound, by the camera's own clock

	track, sound media.Track
	units, notes []media.AccessUnit
	period       int64 // of the clip's pictures, in ticks of 1/90000 s
	frame        int64 // of one picture

	// Of what came through, by checkPictures.
	standIns int
	hole     int64 // the longest time from one to the next that is shown
}

// The streams of a camera's description.
const (
	cameraVideo, cameraAudio = 0, 1
	cameraSSRC               = 0x1111
)

func (c *fakeCamera) prepare(t testing.TB) {
	t.Helper()
	if c.clip == "" {
		c.clip = "h264b"
	}
	c.track, c.units = mediatest.Clip(c.clip)
	c.sound, c.notes = mediatest.Clip("aac")
	f, err := media.ParseConfig(c.track)
	if err != nil || f.FrameRate == 0 {
		t.Fatalf("the clip's frame rate: %v, %v", f.FrameRate, err)
	}
	c.frame = int64(90000 / f.FrameRate)
	c.period = c.frame * int64(len(c.units))
	c.sets = nil
	for _, nal := range configNALs(c.track) {
		c.sets = append(c.sets, nal)
	}
}

// configNALs takes the parameter sets out of an avcC or hvcC.
func configNALs(t media.Track) [][]byte {
	var nals [][]byte
	c := t.Config
	take := func(n int) {
		for range n {
			size := int(binary.BigEndian.Uint16(c))
			nals = append(nals, c[2:2+size])
			c = c[2+size:]
		}
	}
	if t.Codec == media.CodecH264 {
		n := int(c[5] & 31)
		c = c[6:]
		take(n)
		n, c = int(c[0]), c[1:]
		take(n)
		return nals
	}
	arrays := int(c[22])
	for c = c[23:]; arrays > 0; arrays-- {
		n := int(binary.BigEndian.Uint16(c[1:]))
		c = c[3:]
		take(n)
	}
	return nals
}

// describe is the camera's SDP.
func (c *fakeCamera) describe() string {
	var sets []string
	for _, s := range c.sets {
		sets = append(sets, base64.StdEncoding.EncodeToString(s))
	}
	name, fmtp := "H264", "packetization-mode=1"
	switch {
	case c.track.Codec == media.CodecHEVC:
		name, fmtp = "H265", "x=y"
		if !c.noSets {
			fmtp = fmt.Sprintf("sprop-vps=%s;sprop-sps=%s;sprop-pps=%s", sets[0], sets[1], sets[2])
		}
	case !c.noSets:
		fmtp += ";sprop-parameter-sets=" + strings.Join(sets, ",")
	}
	return "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n" +
		"m=video 0 RTP/AVP 96\r\na=rtpmap:96 " + name + "/90000\r\na=fmtp:96 " + fmtp + "\r\na=control:trackID=0\r\n" +
		"m=audio 0 RTP/AVP 97\r\na=rtpmap:97 MPEG4-GENERIC/48000/2\r\na=fmtp:97 streamtype=5;mode=AAC-hbr;sizelength=13;indexlength=3;indexdeltalength=3;config=" +
		hex.EncodeToString(c.sound.Config) + "\r\na=control:trackID=1\r\n"
}

// sent is a packet of one of the camera's streams.
type sent struct {
	media int
	rtp.Packet
}

// shown is when picture i, in decoding order, is shown, in ticks from the first.
func (c *fakeCamera) shown(i int) int64 {
	n := len(c.units)
	return media.Rescale(c.units[i%n].PTS-c.units[0].PTS, c.track.Timescale, 90000) + int64(i/n)*c.period
}

// film is what the camera sends in a time of d, by TCP: packets with the times at which they come.
func (c *fakeCamera) film(t testing.TB, begin time.Time, d time.Duration) []sent {
	t.Helper()
	packets := slices.Concat(c.pictures(t, begin, d), c.sounds(t, begin, d))
	slices.SortStableFunc(packets, func(a, b sent) int { return a.Arrived.Compare(b.Arrived) })
	return packets
}

func (c *fakeCamera) pictures(t testing.TB, begin time.Time, d time.Duration) []sent {
	t.Helper()
	encode := c.nalEncoder(t)
	var packets []sent
	for i := 0; ; i++ {
		at := begin.Add(media.Duration(int64(i)*c.frame, 90000))
		if at.Sub(begin) >= d {
			return packets
		}
		au := c.units[i%len(c.units)]
		var nals [][]byte
		for nal := range media.NALUnits(media.NALLengthSize(c.track), au.Data) {
			if au.RandomAccess && c.inBand && (c.perSlice || len(nals) == 0) {
				nals = append(nals, c.sets...)
			}
			nals = append(nals, nal)
		}
		for _, p := range encode(nals) {
			packets = append(packets, sent{cameraVideo, rtp.Packet{
				Sequence: c.sequence + p.SequenceNumber, Timestamp: c.videoStart + uint32(c.shown(i)),
				SSRC: cameraSSRC, Marker: p.Marker, Payload: p.Payload, Arrived: at,
			}})
		}
	}
}

func (c *fakeCamera) nalEncoder(t testing.TB) func([][]byte) []*pion.Packet {
	const packetSize = 1000
	zero := uint16(0)
	if c.track.Codec == media.CodecHEVC {
		e := &rtph265.Encoder{PayloadType: 96, PayloadMaxSize: packetSize, InitialSequenceNumber: &zero}
		e.Init()
		return func(nals [][]byte) []*pion.Packet { return must(t, e.Encode, nals) }
	}
	e := &rtph264.Encoder{PayloadType: 96, PayloadMaxSize: packetSize, PacketizationMode: 1, InitialSequenceNumber: &zero}
	e.Init()
	return func(nals [][]byte) []*pion.Packet { return must(t, e.Encode, nals) }
}

func must(t testing.TB, encode func([][]byte) ([]*pion.Packet, error), units [][]byte) []*pion.Packet {
	t.Helper()
	packets, err := encode(units)
	if err != nil {
		t.Fatal(err)
	}
	return packets
}

func (c *fakeCamera) sounds(t testing.TB, begin time.Time, d time.Duration) []sent {
	t.Helper()
	zero := uint16(0)
	e := &rtpmpeg4audio.Encoder{PayloadType: 97, PayloadMaxSize: 1000, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3, InitialSequenceNumber: &zero}
	e.Init()
	var packets []sent
	// A picture is sent when it is to be decoded, and sound when it is to be heard.
	depth, _ := media.ReorderDepth(c.track)
	ahead := media.Duration(int64(depth)*c.frame, 90000)
	for i := 0; ; i++ {
		at := begin.Add(media.Duration(int64(float64(int64(i)*1024)*(1+c.soundSlow)), 48000))
		if at.Sub(begin) >= d {
			return packets
		}
		for _, p := range must(t, e.Encode, [][]byte{c.notes[i%len(c.notes)].Data}) {
			packets = append(packets, sent{cameraAudio, rtp.Packet{
				Sequence: p.SequenceNumber, Timestamp: c.audioStart + uint32(i*1024),
				SSRC: cameraSSRC + 1, Marker: p.Marker, Payload: p.Payload, Arrived: at.Add(ahead + c.audioDelay),
			}})
		}
	}
}

// weather is what a network does to packets.
type weather struct {
	loss, twice float64       // probabilities
	jitter      time.Duration // a packet is late by up to this much, so that packets overtake each other
	outage      time.Duration // nothing comes for so long, once in ten seconds
}

// damage is what it has done.
type damage struct{ lost, twice int }

// through sends packets through the weather. The first and last few of each stream have a good day, so that the
// damage can be counted.
func (w weather) through(packets []sent) ([]sent, damage) {
	random := rand.New(rand.NewPCG(3, 4))
	var out []sent
	var d damage
	for i, p := range packets {
		if i > 20 && i < len(packets)-200 {
			into := p.Arrived.Sub(packets[0].Arrived) % (10 * time.Second)
			if random.Float64() < w.loss || into > 5*time.Second && into < 5*time.Second+w.outage {
				d.lost++
				continue
			}
			if w.jitter > 0 {
				p.Arrived = p.Arrived.Add(time.Duration(random.Int64N(int64(w.jitter))))
			}
			if random.Float64() < w.twice {
				d.twice++
				again := p
				again.Arrived = again.Arrived.Add(time.Millisecond)
				out = append(out, again)
			}
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b sent) int { return a.Arrived.Compare(b.Arrived) })
	return out, d
}

// feed is one for the camera's description.
func (c *fakeCamera) feed(t testing.TB, wait time.Duration) (*feed, []refusedTrack, error) {
	t.Helper()
	s, err := sdp.Parse([]byte(c.describe()))
	if err != nil {
		t.Fatal(err)
	}
	return newFeed(s, wait)
}

// receive feeds a show with what has come, and reports of the sender at the times given.
func receive(t testing.TB, c *fakeCamera, wait time.Duration, packets []sent, reports ...func(f *feed, now time.Time)) *fakeShow {
	t.Helper()
	f, refused, err := c.feed(t, wait)
	if err != nil {
		t.Fatal(err)
	}
	show := newFakeShow()
	f.open(show, refused)
	next := packets[0].Arrived
	for _, p := range packets {
		for ; !p.Arrived.Before(next); next = next.Add(tickUDP) {
			f.tick(next)
			for _, r := range reports {
				r(f, next)
			}
		}
		f.push(f.track(p.media), p.Packet)
	}
	f.tick(next.Add(time.Minute))
	f.close(nil)
	return show
}

// checkPictures checks that every picture that came through is, bit for bit, the one of its time, and that
// between two keyframes nothing is missing but at the end, where pictures may stand in that repeat the last one. It returns
// how many there are of the camera's.
func (c *fakeCamera) checkPictures(t testing.TB, show *fakeShow) int {
	t.Helper()
	units := show.of(videoTrackID)
	if len(units) == 0 {
		t.Fatal("no picture has come through")
	}
	byTime := make(map[int64]int)
	for i := range 3 * len(c.units) {
		byTime[c.shown(i)] = i
	}
	var still media.Still
	still.Config(show.track(t, videoTrackID).Config)
	first := units[0].PTS
	expected, last := 0, int64(-1<<62)
	c.standIns = 0
	var shown []int64
	for n, au := range units {
		if au.DTS <= last || au.DTS > au.PTS {
			t.Fatalf("picture %d: DTS %d behind %d, PTS %d", n, au.DTS, last, au.PTS)
		}
		last = au.DTS
		at := au.PTS - first
		cycles := int64(0)
		if at >= c.period {
			cycles = at/c.period - 1
		}
		i, ok := byTime[at-cycles*c.period]
		if !ok {
			t.Fatalf("picture %d is shown at %d, where the camera has none", n, at)
		}
		if !bytes.Equal(c.slices(au.Data), c.slices(c.units[i%len(c.units)].Data)) {
			if au.RandomAccess || au.PTS <= slices.Max(shown) || !bytes.Equal(au.Data, still.Next(true)) {
				t.Fatalf("picture %d, shown at %d, is not as the camera has sent it", n, at)
			}
			c.standIns++
			expected = -1 // a keyframe comes next
			shown = append(shown, au.PTS)
			continue
		}
		still.See(au.Data, au.RandomAccess)
		shown = append(shown, au.PTS)
		whole := i + int(cycles)*len(c.units)
		if !au.RandomAccess && whole != expected {
			t.Fatalf("picture %d comes behind a hole: it is the camera's %d, and %d is due", n, whole, expected)
		}
		expected = whole + 1
	}
	slices.Sort(shown)
	c.hole = 0
	for i := 1; i < len(shown); i++ {
		c.hole = max(c.hole, shown[i]-shown[i-1])
	}
	return len(units) - c.standIns
}

// checkRow checks that the pictures that came through are the camera's from one of its keyframes on, all of them.
// With lossy there may be holes, since the kernel of a busy machine drops packets of UDP; behind a hole comes a
// keyframe.
func (c *fakeCamera) checkRow(t testing.TB, show *fakeShow, lossy bool) {
	t.Helper()
	next := -1
	for n, au := range show.of(videoTrackID) {
		if next < 0 || lossy && au.RandomAccess {
			next = slices.IndexFunc(c.units, func(u media.AccessUnit) bool { return bytes.Equal(c.slices(u.Data), c.slices(au.Data)) })
			if next < 0 || !au.RandomAccess {
				t.Fatalf("picture %d is the camera's %d, a keyframe: %v", n, next, au.RandomAccess)
			}
		}
		if !bytes.Equal(c.slices(au.Data), c.slices(c.units[next%len(c.units)].Data)) {
			t.Fatalf("picture %d is not the camera's %d", n, next)
		}
		next++
	}
}

// slices is what is coded of a picture in a unit. A message that has been lost in front of it does not tear it.
func (c *fakeCamera) slices(data []byte) []byte {
	var all []byte
	for nal := range media.NALUnits(media.NALLengthSize(c.track), data) {
		if isSlice(c.track.Codec, nal) {
			all = append(all, nal...)
		}
	}
	return all
}

// checkSounds checks that the sound has no holes, once it has found its place beside the picture: each unit is
// the camera's, or silence. It returns how many of both there are.
func (c *fakeCamera) checkSounds(t testing.TB, show *fakeShow) (sounds, silences int) {
	t.Helper()
	units := show.of(audioTrackID)
	const settled = 20
	for n, au := range units {
		i := (au.PTS-units[settled].PTS)/1024 + settled
		if n < settled {
			i = int64(n)
		} else if (au.PTS-units[settled].PTS)%1024 != 0 || int(i) != n {
			t.Fatalf("sound %d is at %d", n, au.PTS-units[0].PTS)
		}
		if bytes.Equal(au.Data, c.notes[int(i)%len(c.notes)].Data) {
			sounds++
		} else {
			silences++
		}
	}
	return sounds, silences
}
