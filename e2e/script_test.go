package e2e

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// What is measured here is the number on the picture at the moment in which the card's element changes,
// against the number of the frame that the cue was meant for. Which frame has which date is read from the
// playlist and the media, without any of the players.
const (
	cardSlack  = 2 // frames: never more
	cardWithin = time.Second
)

// plannedCue is a cue and the frame it is for.
type plannedCue struct {
	text   string
	number int // of its first frame, in its host's session
	gone   int // of the first frame without it; 0: the next cue's
}

// script plans cues at random frames, and posts each some time before it is due.
type script struct {
	t     *testing.T
	s     *harness.Server
	name  string
	clock harness.FrameClock
	since time.Time // when the host came that the clock is of
	label string    // begins the text of all cues

	mu      sync.Mutex // guards what follows
	cues    []plannedCue
	refused []string // what the server said of those that it did not take
}

// newScript reads the clock of the show's host, who came at a moment that is given.
func newScript(t *testing.T, s *harness.Server, name, label string, since time.Time) *script {
	t.Helper()
	return &script{t: t, s: s, name: name, clock: s.Clock(t, name, since), since: since, label: label}
}

// leadLeast and leadSpread say how long before it is due a cue is posted. Players have to fetch its contents in that
// time, less what they are behind.
var leadLeast, leadSpread = func() (least, spread time.Duration) {
	if judge {
		return 700 * time.Millisecond, 4 * time.Second
	}
	return 3 * time.Second, 4 * time.Second // a busy machine
}()

// play posts n cues, so many frames apart on average, until stop is closed; that may be nil. It returns when all pages
// have shown pictures that come after the last.
func (p *script) play(n, apart int, stop <-chan struct{}, pages ...*harness.Page) {
	random := rand.New(rand.NewPCG(uint64(n), uint64(apart))) // the same frames each time
	number := p.clock.Number(time.Now().Add(leadLeast+leadSpread)) + 15
	for i := range n {
		c := plannedCue{text: fmt.Sprintf("%s%d for frame %d", p.label, i, number), number: number}
		body := map[string]any{
			"id": fmt.Sprintf("%s%d", strings.ToLower(p.label), i), "kind": "message", "slot": "main",
			"at":   p.clock.At(number).UTC().Format(time.RFC3339Nano),
			"text": map[string]string{"en": c.text},
		}
		next := number + apart*2/3 + random.IntN(apart*2/3+1)
		if i%4 == 3 { // some end by themselves
			c.gone = number + (next-number)/2
			body["end"] = p.clock.At(c.gone).UTC().Format(time.RFC3339Nano)
		}
		lead := leadLeast + time.Duration(random.Int64N(int64(leadSpread)))
		select {
		case <-time.After(time.Until(p.clock.At(number).Add(-lead))):
		case <-stop:
			return
		}
		err := p.s.PostCue(p.t, p.name, body)
		p.mu.Lock()
		if err == nil {
			p.cues = append(p.cues, c)
		} else {
			p.refused = append(p.refused, err.Error())
		}
		p.mu.Unlock()
		number = next
	}
	for _, page := range pages {
		page.Until(fmt.Sprintf("a picture behind frame %d", number), func(r harness.Report) bool {
			return slices.ContainsFunc(r.Frames, func(f harness.Frame) bool { return p.drew(f) && f.Number > number })
		})
	}
}

// drew reports whether a picture is of the host that the script is for: numbers count anew with each.
func (p *script) drew(f harness.Frame) bool {
	return f.Number >= 0 && f.Stamp >= harness.WallMs(p.since)
}

// past counts the cues whose frames are past.
func (p *script) past() (n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.cues {
		if p.clock.At(c.number).Before(time.Now()) {
			n++
		}
	}
	return n
}

// at returns what the cards say with a frame.
func (p *script) at(number int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range slices.Backward(p.cues) {
		if c.number <= number {
			if c.gone > 0 && number >= c.gone {
				return ""
			}
			return c.text
		}
	}
	return ""
}

// judgeCards holds a page's cards against the script: each came once, and with its frame. A browser that has no
// time leaves frames out, and nobody can change a card with those: so the distance is counted in pictures that
// were on the screen. With E2E_JUDGE it is counted in frames, as the host has numbered them. What it finds wrong it
// returns.
func judgeCards(t *testing.T, player string, p *script, r harness.Report) (faults []string) {
	t.Helper()
	wrong := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	faults = append(faults, p.refused...)
	var frames, pictures []int
	unseen := 0 // of which the player has shown no frame
	note := func(c harness.Cards, want int) {
		frames = append(frames, c.Number-want)
		pictures = append(pictures, p.picturesFrom(r, want, c))
	}
	for i, c := range p.cues {
		next := c.number + 1 // first frame that is not for this cue
		if i+1 < len(p.cues) {
			next = p.cues[i+1].number
		}
		came := slices.IndexFunc(r.Cards, func(x harness.Cards) bool { return x.Text == c.text })
		if came < 0 {
			if unseen++; judge || p.shows(r, c.number, cmp.Or(c.gone, next)) {
				wrong("%q did not come", c.text)
			}
			continue
		}
		if slices.ContainsFunc(r.Cards[came+1:], func(x harness.Cards) bool { return x.Text == c.text }) {
			wrong("%q came twice", c.text)
		}
		note(r.Cards[came], c.number)
		if c.gone == 0 {
			continue
		}
		if came+1 == len(r.Cards) || r.Cards[came+1].Text != "" {
			if unseen++; judge || p.shows(r, c.gone, next) {
				wrong("%q did not go", c.text)
			}
			continue
		}
		note(r.Cards[came+1], c.gone)
	}
	harness.KeepJSON(t, player+"-"+p.label+".json", map[string]any{"frames": frames, "pictures": pictures})
	t.Logf("%s, %s: %d changes; frames off: %s; pictures off: %s; %d not seen, as the player left them out",
		player, p.label, len(frames), histogram(frames), histogram(pictures), unseen)
	if unseen > len(frames) {
		wrong("%d changes were seen, and %d not: that shows nothing", len(frames), unseen)
	}
	off, least := pictures, 0.9 // a busy machine is late with contents, too
	if judge {
		off, least = frames, 0.99
	}
	near, worst := 0, 0
	for _, d := range off {
		if abs(d) <= 1 {
			near++
		}
		worst = max(worst, abs(d))
	}
	if float64(near) < least*float64(len(off)) || judge && worst > cardSlack {
		wrong("%d of %d changes were at most one frame off, the worst %d", near, len(off), worst)
	}
	return faults
}

// shows reports whether a picture from frame first up to the one before last was on the screen.
func (p *script) shows(r harness.Report, first, last int) bool {
	return slices.ContainsFunc(r.Frames, func(f harness.Frame) bool { return p.drew(f) && f.Number >= first && f.Number < last })
}

// picturesFrom counts the pictures that were on the screen from frame want on, until the cards changed.
func (p *script) picturesFrom(r harness.Report, want int, c harness.Cards) int {
	n := 0
	for _, f := range r.Frames {
		if !p.drew(f) || f.Shown > c.At+1000 {
			continue
		}
		switch {
		case f.Number >= want && f.Number < c.Number:
			n++
		case f.Number < want && f.Number >= c.Number:
			n--
		}
	}
	return n
}

func abs(x int) int { return max(x, -x) }

func histogram(values []int) string {
	counts := map[int]int{}
	for _, v := range values {
		counts[v]++
	}
	keys := make([]int, 0, len(counts))
	for k := range counts {
		keys = append(keys, k)
	}
	sort.Ints(keys)
	var b strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&b, "%+d: %d  ", k, counts[k])
	}
	return strings.TrimSpace(b.String())
}
