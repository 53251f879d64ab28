package e2e

import (
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
	cardSlack  = 2    // frames: never more
	cardExact  = 0.99 // share of the cards that are at most one frame off
	cardWithin = time.Second
)

// plannedCue is a cue and the frame it is for.
type plannedCue struct {
	text   string
	number int // of its first frame, in its host's session
	gone   int // of the first frame without it; 0: the next cue's
}

// script plans cues at random frames from the clock's frame first on, so many frames apart on average, and
// posts each some time before it is due.
type script struct {
	t     *testing.T
	s     *harness.Server
	name  string
	clock harness.FrameClock
	label string // begins the text of all cues

	mu   sync.Mutex
	cues []plannedCue
}

// play posts n cues, and returns when the last has been seen by viewers a few seconds behind.
func (p *script) play(n, apart int) {
	random := rand.New(rand.NewPCG(uint64(n), uint64(apart))) // the same frames each time
	number := p.clock.Number(time.Now()) + 5*30
	for i := range n {
		c := plannedCue{text: fmt.Sprintf("%s%d for frame %d", p.label, i, number), number: number}
		body := map[string]any{
			"id": fmt.Sprintf("%s%d", strings.ToLower(p.label), i), "kind": "message", "slot": "main",
			"at":   p.clock.At(number).UTC().Format(time.RFC3339Nano),
			"text": map[string]string{"en": c.text},
		}
		next := number + apart*2/3 + random.IntN(max(1, apart*2/3))
		if i%4 == 3 { // some end by themselves
			c.gone = number + (next-number)/2
			body["end"] = p.clock.At(c.gone).UTC().Format(time.RFC3339Nano)
		}
		lead := 700*time.Millisecond + time.Duration(random.IntN(4000))*time.Millisecond
		time.Sleep(time.Until(p.clock.At(number).Add(-lead)))
		p.s.PostCue(p.t, p.name, body)
		p.mu.Lock()
		p.cues = append(p.cues, c)
		p.mu.Unlock()
		number = next
	}
	time.Sleep(time.Until(p.clock.At(number)) + 5*time.Second)
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

// TestCuesHitTheirFrames shows cues at random frames to hls.js and Shaka.
//
//	E2E_CUES=200 E2E_CUE_FRAMES=90 go test ./e2e -run TestCuesHitTheirFrames -timeout 30m -v
func TestCuesHitTheirFrames(t *testing.T) {
	b := chromium(t)
	n, apart := harness.Number("E2E_CUES", 40), harness.Number("E2E_CUE_FRAMES", 22)
	s := harness.Serve(t, binary(t), "")
	harness.Publish(t, s.PublishURL("shop"), harness.HostOptions{})
	pages := map[string]*harness.Page{}
	for _, player := range []string{"hls", "shaka"} {
		pages[player] = b.Open(t, s.PageURL("shop", "?lang=en&player="+player), harness.PageOptions{Width: 900, Height: 500})
		pages[player].UntilPlaying(20 * time.Second)
	}
	p := &script{t: t, s: s, name: "shop", clock: s.Clock(t, "shop"), label: "Cue"}
	p.play(n, apart)
	for player, page := range pages {
		t.Run(player, func(t *testing.T) {
			r := page.Report(time.Time{})
			untroubled(t, r)
			judgeCards(t, p, r)
		})
	}
}

// judgeCards holds a page's cards against the script: each came once, with its frame.
func judgeCards(t *testing.T, p *script, r harness.Report) {
	t.Helper()
	var off []int // frames on the picture behind the ones that were meant
	late := 0     // whose frame was never on the screen
	shown := shownNumbers(r)
	for _, c := range p.cues {
		came := changesTo(r.Cards, c.text)
		if len(came) != 1 {
			t.Errorf("%q came %d times", c.text, len(came))
			continue
		}
		off = append(off, came[0].Number-c.number)
		if !slices.Contains(shown, c.number) {
			late++
		}
		if c.gone > 0 {
			if i := slices.Index(r.Cards, came[0]) + 1; i >= len(r.Cards) || r.Cards[i].Text != "" {
				t.Errorf("%q did not go", c.text)
			} else {
				off = append(off, r.Cards[i].Number-c.gone)
				if !slices.Contains(shown, c.gone) {
					late++
				}
			}
		}
	}
	harness.KeepJSON(t, "offsets.json", off)
	if len(off) == 0 {
		t.Fatal("no card came")
	}
	t.Logf("%d changes: frames off: %s; %d frames meant were never on the screen", len(off), histogram(off), late)
	one, worst := 0, 0
	for _, d := range off {
		if abs(d) <= 1 {
			one++
		}
		worst = max(worst, abs(d))
	}
	// A browser that has no time leaves frames out: nobody can change a card with those.
	if float64(one) < cardExact*float64(len(off))-float64(late) {
		t.Errorf("%d of %d cards were at most one frame off", one, len(off))
	}
	if worst > cardSlack && late == 0 {
		t.Errorf("a card was %d frames off", worst)
	}
}

// changesTo lists the changes after which the cards say text.
func changesTo(cards []harness.Cards, text string) (found []harness.Cards) {
	for _, c := range cards {
		if c.Text == text {
			found = append(found, c)
		}
	}
	return found
}

// shownNumbers are the numbers of the frames that were on the screen.
func shownNumbers(r harness.Report) []int {
	numbers := make([]int, len(r.Frames))
	for i, f := range r.Frames {
		numbers[i] = f.Number
	}
	return numbers
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

// TestCardsBelongToTheFrame joins late, seeks back, pauses and reloads: the card that belongs to the picture
// is up within a second.
func TestCardsBelongToTheFrame(t *testing.T) {
	b := chromium(t)
	s := harness.Serve(t, binary(t), "")
	harness.Publish(t, s.PublishURL("shop"), harness.HostOptions{})
	p := &script{t: t, s: s, name: "shop", clock: s.Clock(t, "shop"), label: "Cue"}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.play(harness.Number("E2E_CUES", 40), 45)
	}()
	defer func() { <-done }()
	time.Sleep(9 * time.Second) // some cues have been
	for _, player := range []string{"hls", "shaka"} {
		t.Run(player, func(t *testing.T) {
			page := b.Open(t, s.PageURL("shop", "?lang=en&player="+player), harness.PageOptions{Width: 900, Height: 500})
			page.UntilPlaying(20 * time.Second)
			settles(t, page, p, "late join")
			page.Evaluate(`void (video.currentTime -= 5)`, nil)
			settles(t, page, p, "seek back")
			page.Evaluate(`video.pause()`, nil)
			time.Sleep(time.Duration(harness.Number("E2E_PAUSE_SECONDS", 4)) * time.Second)
			settles(t, page, p, "pause")
			page.Evaluate(`void video.play()`, nil)
			settles(t, page, p, "after the pause")
			page.Evaluate(`location.reload()`, nil)
			time.Sleep(500 * time.Millisecond)
			page.UntilPlaying(20 * time.Second)
			settles(t, page, p, "reload")
		})
	}
}

// settles looks at a page until the cards are those of the picture, and a while longer: they have to stay so.
func settles(t *testing.T, page *harness.Page, p *script, what string) {
	t.Helper()
	began, settled := time.Now(), time.Duration(-1)
	for time.Since(began) < 3*time.Second {
		var c harness.Cards
		page.Evaluate(`cardsNow()`, &c)
		right := c.Number >= 0
		if right {
			right = false
			// The picture may be one further than the card that is about to change.
			for n := c.Number - cardSlack; n <= c.Number+cardSlack; n++ {
				right = right || c.Text == p.at(n)
			}
		}
		switch {
		case right && settled < 0:
			settled = time.Since(began)
		case !right && settled >= 0:
			t.Errorf("%s: with frame %d the card says %q: want %q", what, c.Number, c.Text, p.at(c.Number))
			settled = -1
		}
		time.Sleep(50 * time.Millisecond)
	}
	switch {
	case settled < 0:
		t.Errorf("%s: the card that belongs to the picture is not up", what)
	case settled > cardWithin && judge:
		t.Errorf("%s: the right card took %v", what, settled)
	default:
		t.Logf("%s: the right card after %d ms", what, settled.Milliseconds())
	}
}

// TestCuesAcrossAReturn takes the host away in the middle of a cue, and lets it return with a clock of its own:
// what was up is up, and what comes afterwards hits its frame.
func TestCuesAcrossAReturn(t *testing.T) {
	b := chromium(t)
	s := harness.Serve(t, binary(t), "")
	host := harness.Publish(t, s.PublishURL("shop"), harness.HostOptions{})
	pages := map[string]*harness.Page{}
	for _, player := range []string{"hls", "shaka"} {
		pages[player] = b.Open(t, s.PageURL("shop", "?lang=en&player="+player), harness.PageOptions{Width: 900, Height: 500})
		pages[player].UntilPlaying(20 * time.Second)
	}
	first := &script{t: t, s: s, name: "shop", clock: s.Clock(t, "shop"), label: "Before"}
	first.play(3, 22)
	host.Kill()
	time.Sleep(3 * time.Second)
	returned := time.Now()
	harness.Publish(t, s.PublishURL("shop"), harness.HostOptions{})
	for _, page := range pages {
		page.Until("playing on", 30*time.Second, func(r harness.Report) bool {
			n := len(r.Frames)
			return r.Phase == "playing" && n > 0 && r.Frames[n-1].Stamp > harness.WallMs(returned)
		})
	}
	time.Sleep(2 * time.Second) // a whole segment of the new host
	second := &script{t: t, s: s, name: "shop", clock: s.Clock(t, "shop"), label: "After"}
	var c harness.Cards
	for player, page := range pages {
		page.Evaluate(`cardsNow()`, &c)
		if want := first.cues[len(first.cues)-1].text; c.Text != want {
			t.Errorf("%s: after the return the card says %q: want %q", player, c.Text, want)
		}
	}
	second.play(8, 22)
	for player, page := range pages {
		t.Run(player, func(t *testing.T) {
			r := page.Report(time.Time{})
			untroubled(t, r)
			judgeCards(t, first, r)
			judgeCards(t, second, r)
		})
	}
}
