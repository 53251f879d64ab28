package e2e

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

const (
	noiseRate = 30 // pictures a second, and a keyframe each second
	// badWeather is how many pictures of a show go through bad weather, and fairWeather how many behind them have to come: enough
	// to show the losses at the end, and for whole segments.
	badWeather, fairWeather = 12 * noiseRate, 5 * noiseRate
)

// badNetwork is a show that comes through a network of its own kind.
type badNetwork struct {
	name     string
	config   string // the server's, to go on with that of rtsp
	weather  harness.Weather
	seed     uint64
	kilobits int // of the picture, a second
	server   *harness.Server
	relay    *harness.Relay
	host     *harness.Host
	sent     string
	missing  time.Duration // of the pictures that were sent, how long those last that are not served; after check
}

// TestBadNetwork publishes shows by RTSP over UDP through networks that lose packets, and that bring them late, twice and
// out of order. No picture is served of which something is missing, or that refers to one of which something is; all others are,
// to the pixel. In the place of those that are not, the one before is served again, so that there is no gap. What the operator
// reads has been counted right.
func TestBadNetwork(t *testing.T) {
	harness.Need(t, "ffmpeg")
	harness.Fairly(t, "a bad network", func() (faults []string) {
		shows := []*badNetwork{
			// Nothing is overtaken in the first two, so that a busy machine can't make a loss of a delay.
			{name: "1 % lost", weather: harness.Weather{Loss: 0.01}, seed: 1, kilobits: 700},
			{name: "5 % lost", weather: harness.Weather{Loss: 0.05}, seed: 2, kilobits: 500},
			{name: "late, twice and out of order", config: "  reorder: 1s\n", weather: harness.Weather{Twice: 0.03, Jitter: 100 * time.Millisecond}, seed: 3, kilobits: 700},
		}
		for _, n := range shows {
			n.begin(t)
			defer n.host.Kill()
		}
		for _, n := range shows {
			n.server.Lists(t, "cam/index.m3u8", "#EXT-X-STREAM-INF", 1)
			n.relay.Storm(badWeather)
		}
		for _, n := range shows {
			waitUntil(t, n.name+": fair weather again", func() bool { return n.relay.Since() >= fairWeather })
		}
		for _, n := range shows {
			faults = append(faults, n.check(t)...)
		}
		return faults
	})
}

// begin starts the show's server, its network and its host.
func (n *badNetwork) begin(t *testing.T) {
	t.Helper()
	n.server = harness.Serve(t, binary(t), n.config+"window: 5m\n")
	n.relay = n.server.Relay(t, n.weather, n.seed)
	n.host, n.sent = harness.Noise(t, n.relay.URL("cam"), n.kilobits)
}

// check ends the host, and compares what was served and counted with what the network did. It returns what a busy
// machine may have done as well.
func (n *badNetwork) check(t *testing.T) (faults []string) {
	t.Helper()
	faults = n.counted(t)
	picture, err := n.server.Served("cam", false)
	if err != nil {
		t.Fatal(err)
	}
	served, err := picture.Pictures()
	if err != nil {
		t.Fatalf("%s: the picture that is served: %v", n.name, err)
	}
	sound, err := n.server.Served("cam", true)
	if err != nil {
		t.Fatal(err)
	}
	if err := sound.CheckSound(); err != nil {
		t.Errorf("%s: the sound that is served: %v", n.name, err)
	}
	faults = append(faults, n.gaps("picture", picture)...)
	faults = append(faults, n.gaps("sound", sound)...)
	drops, repairs := n.relay.KernelDrops(t), n.server.Show(t, "cam").Repairs
	n.host.Stop()
	sent, err := harness.PicturesIn(n.sent)
	if err != nil {
		t.Fatalf("%s: what was sent: %v", n.name, err)
	}
	damage, slots := n.relay.Damage()
	numbers, repeated, more := numbered(t, n.name, served, sent)
	faults = append(faults, more...)
	if got := int(repairs["pictures filled in"]); got != repeated {
		faults = append(faults, fmt.Sprintf("%s: %d pictures filled in were counted, %d are served", n.name, got, repeated))
	}
	if len(numbers) == 0 || numbers[len(numbers)-1]-numbers[0] < badWeather {
		t.Fatalf("%s: only %d pictures are served", n.name, len(numbers))
	}
	if w := n.weather; w.Loss > 0 && damage.Lost == 0 || w.Twice > 0 && damage.Twice == 0 || w.Jitter > 0 && damage.Overtaken == 0 {
		t.Fatalf("%s: the network has done no harm: %+v", n.name, damage)
	}
	whole := make([]bool, len(sent))
	for i, p := range sent {
		slot := int(math.Round((p.At - sent[0].At).Seconds() * noiseRate))
		whole[i] = slot < len(slots) && slots[slot]
	}
	faults = append(faults, n.prefixes(t, numbers, whole, drops > 0)...)
	span := numbers[len(numbers)-1] - numbers[0] + 1
	n.missing = time.Duration(span-len(numbers)) * time.Second / noiseRate
	t.Logf("%s: %+v, %d dropped by the kernel; %d of %d pictures in %d segments, and %d repeated; repairs %v", n.name, damage, drops, len(numbers), span, len(picture.Segments), repeated, repairs)
	return faults
}

// gaps returns what is missing of a rendition behind its beginning.
func (n *badNetwork) gaps(what string, of harness.Served) (faults []string) {
	begun := false
	for i, s := range of.Segments {
		partly := slices.ContainsFunc(s.Parts, func(p harness.Part) bool { return p.Gap })
		if begun && (s.Gap || partly) {
			faults = append(faults, fmt.Sprintf("%s: segment %d of the %s has a gap", n.name, i, what))
		}
		begun = begun || !s.Gap
	}
	return faults
}

// counted waits until the server has counted what the network has done.
func (n *badNetwork) counted(t *testing.T) (faults []string) {
	t.Helper()
	damage, _ := n.relay.Damage()
	drops := n.relay.KernelDrops(t)
	want := map[string]int{
		"packets lost":                        damage.Lost + drops,
		"packets that came twice or too late": damage.Twice,
		"packets put in order":                damage.Overtaken,
		"new rows of packets":                 0,
		"RTP clock jumps":                     0,
	}
	if n.weather.Loss == 0 && drops == 0 {
		want["frames dropped after a loss"], want["frames that made no sense"], want["audio frames filled in"] = 0, 0, 0
	}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		repairs := n.server.Show(t, "cam").Repairs
		faults = nil
		for name, count := range want {
			if got := int(repairs[name]); got != count {
				faults = append(faults, fmt.Sprintf("%s: %d %s were counted, %d there were", n.name, got, name, count))
			}
		}
		if len(faults) == 0 || time.Now().After(end) {
			return faults
		}
	}
}

// numbered returns which of the pictures that were sent have been served, and how often one was that repeats the one before, to
// the pixel, in the place of one that is not served. It fails the test if others were; that they are not as far apart as they
// were is a fault.
func numbered(t *testing.T, name string, served, sent []harness.Picture) (numbers []int, repeated int, faults []string) {
	t.Helper()
	number := make(map[string]int)
	for i, p := range sent {
		if was, twice := number[p.Hash]; twice {
			t.Fatalf("%s: the host has sent the same picture as number %d and %d", name, was, i)
		}
		number[p.Hash] = i
	}
	const off = time.Second / noiseRate / 2
	torn, slot := 0, 0 // the number of the newest one, or of the one that it stands for
	for i, p := range served {
		is, known := number[p.Hash]
		if i > 0 && p.Hash == served[i-1].Hash {
			repeated++
			before := slot
			if slot = number[served[0].Hash] + int(math.Round((p.At-served[0].At).Seconds()*noiseRate)); slot <= before {
				t.Errorf("%s: a picture is repeated at %v, which has one already", name, p.At)
			}
			continue
		}
		if !known {
			if torn++; torn == 1 {
				t.Errorf("%s: picture %d of those served, at %v, is none that was sent: it is torn", name, i, p.At)
			}
			continue
		}
		if repeated > 0 && is <= slot {
			t.Errorf("%s: picture %d is served behind one that stands for picture %d", name, is, slot)
		}
		numbers, slot = append(numbers, is), is
		first := number[served[0].Hash]
		if late := p.At - served[0].At - (sent[is].At - sent[first].At); late.Abs() > off && len(faults) == 0 {
			faults = append(faults, fmt.Sprintf("%s: picture %d is served at %v, %v late", name, is, p.At, late))
		}
	}
	if torn > 0 {
		t.Errorf("%s: %d torn pictures of %d", name, torn, len(served))
	}
	return numbers, repeated, faults
}

// prefixes checks that of each GOP the pictures up to the first one of which something was dropped are served, and no
// others; whole has which pictures have come through. If the kernel has dropped packets too, nobody knows which: then
// fewer may be served.
func (n *badNetwork) prefixes(t *testing.T, numbers []int, whole []bool, fewer bool) (faults []string) {
	t.Helper()
	served := make(map[int]bool)
	for i, is := range numbers {
		served[is] = true
		if key := is%noiseRate == 0; !key && (i == 0 || numbers[i-1] != is-1) {
			t.Errorf("%s: picture %d is served, and the one before, which it refers to, is not", n.name, is)
		}
		if i > 0 && is <= numbers[i-1] {
			t.Errorf("%s: picture %d is served behind picture %d", n.name, is, numbers[i-1])
		}
	}
	good := true
	var lacking []string
	for is := numbers[0]; is <= numbers[len(numbers)-1]; is++ {
		good = whole[is] && (good || is%noiseRate == 0)
		switch {
		case served[is] && !good:
			t.Errorf("%s: picture %d is served, of whose GOP something was lost", n.name, is)
		case good && !served[is] && !fewer:
			lacking = append(lacking, fmt.Sprint(is))
		}
	}
	if len(lacking) > 0 {
		faults = append(faults, fmt.Sprintf("%s: these pictures came through and are not served: %s", n.name, strings.Join(lacking, " ")))
	}
	return faults
}
