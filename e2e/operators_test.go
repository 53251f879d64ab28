package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pushcart/e2e/harness"
)

// TestOperatorsPage has an operator look at a show from before it begins until it is ended from the page, which is never loaded again.
func TestOperatorsPage(t *testing.T) {
	together(t)
	b := chromium(t)
	s := harness.Serve(t, binary(t), `ladder:
  shows:
    - match: "*"
      rungs:
        - {short_side: 180, bitrate: 200k}
`)
	page := b.Open(t, "http://"+s.Admin+"/streams/live/shop", harness.PageOptions{Width: 1000, Height: 1380})

	// What the host needs is there before the show.
	page.UntilTrue("the block for OBS", `document.querySelector("#obs-json").value.length > 0`)
	sameBlock(t, s, page, "size=1920x1080&fps=30&encoder=x264")
	page.Evaluate(`(() => {
		const form = document.querySelector("#obs-form");
		form.elements.size.value = "1080x1920";
		form.elements.fps.value = "29.97";
		form.elements.encoder.value = "nvenc";
		form.dispatchEvent(new Event("input"));
	})()`, nil)
	page.UntilTrue("the other block", `document.querySelector("#obs-json").value.includes("nvenc")`)
	sameBlock(t, s, page, "size=1080x1920&fps=29.97&encoder=nvenc")
	var server string
	if page.Evaluate(`document.querySelector("#obs-server").textContent`, &server); server != "rtmp://"+s.RTMP+"/live" {
		t.Errorf("the server is %q", server)
	}
	page.Evaluate(`(() => {
		const size = document.querySelector("#obs-form").elements.size;
		size.value = "large";
		size.form.dispatchEvent(new Event("input"));
	})()`, nil)
	page.UntilTrue("what is wrong", `document.querySelector("#obs-wrong").textContent.includes("write it as 1920x1080")`)

	// The show.
	host := harness.Publish(t, s.PublishURL("shop"), harness.HostOptions{})
	page.UntilTrue("live", `document.querySelector("#state").textContent === "live"`)
	page.Evaluate(`document.querySelector("#obs-form").elements.size.focus()`, nil)
	harness.Publish(t, s.PublishURL("shop")+"@fr", harness.HostOptions{NoVideo: true})
	wig := map[string]any{"id": "sku-1", "title": map[string]string{"en": "Bob wig", "fr": "Perruque au carré"}}
	if err := s.PostCue(t, "shop", map[string]any{"id": "wig-2", "products": []any{wig}}); err != nil {
		t.Fatal(err)
	}
	page.UntilTrue("the card", `document.querySelector("#cues").textContent === "Bob wig"`)
	page.UntilTrue("the voice", `document.querySelector("#tracks").textContent.includes("Français (fr)")`)
	page.UntilTrue("the rung", `document.querySelector("#rungs").textContent.includes("180p") && document.querySelector("#ladder-state").textContent === "running"`)
	var watch string
	if page.Evaluate(`document.querySelector("#watch").href`, &watch); watch != s.PageURL("shop", "") {
		t.Errorf("the viewers' page is %q", watch)
	}

	// What goes wrong.
	host.Kill()
	page.UntilTrue("interrupted", `document.querySelector("#state").textContent === "interrupted"`)
	page.UntilTrue("the remark", `document.querySelectorAll("#remarks li").length > 0`)
	for _, r := range s.Show(t, "shop").Remarks {
		page.UntilTrue("the remark "+r.Text, fmt.Sprintf(`document.querySelector("#remarks").textContent.includes(%q)`, r.Text))
	}
	harness.Publish(t, s.PublishURL("shop"), harness.HostOptions{})
	page.UntilTrue("live again", `document.querySelector("#state").textContent === "live"`)
	var focused bool
	if page.Evaluate(`document.activeElement.name === "size"`, &focused); !focused {
		t.Error("the focus has moved")
	}
	if os.Getenv("E2E_SHOT") != "" {
		drawForDocs(t, page)
	} else {
		page.Screenshot(harness.Artefact(t, "operators.png"))
	}

	// The end.
	page.Click("#cut")
	page.Click(`#sure >> text="End it"`)
	page.UntilTrue("the end", `document.querySelector("#state").textContent === "ended"`)
	r := page.Report(time.Time{})
	untroubled(t, r)
	for _, line := range r.Console {
		if strings.Contains(line, "Security Policy") {
			t.Error(line)
		}
	}

	list := b.Open(t, "http://"+s.Admin+"/streams", harness.PageOptions{})
	list.UntilTrue("the show in the list", `document.querySelector("#shows a")?.textContent === "shop"`)
	list.Click("#shows a")
	list.UntilTrue("its page", `document.querySelector("#name")?.textContent === "shop"`)
}

// drawForDocs takes the page's picture in docs/images.
func drawForDocs(t *testing.T, page *harness.Page) {
	t.Helper()
	page.UntilTrue("the rungs", `document.querySelector("#ladder-state").textContent === "running"`)
	shot, err := filepath.Abs(filepath.Join("..", "docs", "images", "operators.png"))
	if err != nil {
		t.Fatal(err)
	}
	page.Evaluate(`(() => {
		const form = document.querySelector("#obs-form");
		form.elements.size.value = "1920x1080";
		form.dispatchEvent(new Event("input"));
		document.activeElement.blur();
		window.scrollTo(0, 0);
	})()`, nil)
	page.UntilTrue("the bit rates", `[...document.querySelectorAll("#tracks tr")].every((tr) => tr.textContent.includes("b/s"))`)
	full := harness.Artefact(t, "operators.png")
	page.Screenshot(full)
	// A page of few colours need not take the space of a photograph.
	cmd := exec.Command("ffmpeg", "-v", "error", "-nostdin", "-y", "-i", full, "-vf", "split[a][b];[a]palettegen=max_colors=96[p];[b][p]paletteuse=dither=none", shot)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// TestOperatorsSeeACameraThatIsAway has a camera that refuses, and then a host in its place: the page says what is wrong, and offers
// nothing that makes no sense.
func TestOperatorsSeeACameraThatIsAway(t *testing.T) {
	together(t)
	b := chromium(t)
	s := harness.Serve(t, binary(t), "streams:\n  - {name: cam, source: \"rtsp://viewer:hush@127.0.0.1:9/x\"}\n")
	list := b.Open(t, "http://"+s.Admin+"/streams", harness.PageOptions{})
	list.UntilTrue("the trouble in the list", `document.querySelector("#shows").innerText.includes("refuses connections")`)
	page := b.Open(t, "http://"+s.Admin+"/streams/live/cam", harness.PageOptions{Width: 1000, Height: 700})
	page.UntilTrue("away", `document.querySelector("#state").textContent === "away"`)
	page.UntilTrue("the trouble", `document.querySelector("#camera").innerText.includes("refuses connections")`)
	page.Screenshot(harness.Artefact(t, "camera-away.png"))
	var text string
	page.Evaluate(`document.body.innerText`, &text)
	for _, nonsense := range []string{"End the show", "Nothing to complain of", "00:00", "OBS", "undefined", "hush"} {
		if strings.Contains(text, nonsense) {
			t.Errorf("the page says %q", nonsense)
		}
	}
	harness.Publish(t, s.PublishURL("cam"), harness.HostOptions{})
	page.UntilTrue("live", `document.querySelector("#state").textContent === "live"`)
	page.UntilTrue("what a show that is on has", `!document.querySelector("#cut").hidden && document.querySelector("#camera").hidden && document.querySelector("#facts").innerText.includes("Show began")`)
	untroubled(t, page.Report(time.Time{}))
}

// sameBlock checks that what the page has for OBS is what the API answers.
func sameBlock(t *testing.T, s *harness.Server, page *harness.Page, query string) {
	t.Helper()
	var block string
	page.Evaluate(`document.querySelector("#obs-json").value`, &block)
	if want := s.OBS(t, "shop", query); block != want {
		t.Errorf("the page has\n%s\nthe API\n%s", block, want)
	}
	var parsed struct {
		Video []any `json:"encoder_configurations"`
	}
	if err := json.Unmarshal([]byte(block), &parsed); err != nil || len(parsed.Video) < 2 {
		t.Errorf("%d renditions, %v", len(parsed.Video), err)
	}
}
