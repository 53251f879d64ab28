package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// The ladder of the configuration is what OBS is told, by all ways.
func TestOBS(t *testing.T) {
	env := []string{"PUSHCART_AUTH_SECRET=correct horse battery staple"}
	dir := write(t, "ladder: {shows: [{match: 'shop-*', rungs: [{short_side: 540, bitrate: 1.5M}]}]}\n")
	type config struct {
		Video []struct {
			Type     string `json:"type"`
			Width    int    `json:"width"`
			Settings struct {
				BitRate int `json:"bitrate"`
			} `json:"settings"`
		} `json:"encoder_configurations"`
		Endpoints []struct {
			URL string `json:"url_template"`
		} `json:"ingest_endpoints"`
		Status struct {
			Result string `json:"result"`
			HTML   string `json:"html_en_us"`
		} `json:"status"`
	}
	read := func(text string) (c config) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		return c
	}
	stdout, stderr, status := execute(t, dir, env, "key", "--obs", "--size", "1280x720", "--encoder", "nvenc", "shop-42")
	c := read(stdout)
	if status != 0 || len(c.Video) != 2 || c.Video[0].Width != 1280 || c.Video[1].Width != 960 || c.Video[1].Settings.BitRate != 1500 || c.Video[1].Type != "obs_nvenc_h264_tex" {
		t.Errorf("status %d, %+v", status, c)
	}
	if !strings.Contains(stderr, "shop-42-sej4qek74cw45i47") || strings.Contains(stdout, "sej4qek74cw45i47") || c.Endpoints[0].URL != "rtmp://HOST:1935/live/{stream_key}" {
		t.Errorf("endpoints %+v, stderr %q", c.Endpoints, stderr)
	}
	if stdout, stderr, status := execute(t, dir, env, "key", "--obs", "--size", "big", "shop-42"); status != exitFailure || stdout != "" || !strings.Contains(stderr, "1920x1080") {
		t.Errorf("status %d, stdout %q, stderr %q", status, stdout, stderr)
	}

	p := start(t, append(env, "PUSHCART_LADDER_MAX_SHOWS=1"))
	ask := func(method, url, body string) (config, int) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		text, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != http.StatusOK {
			return config{}, res.StatusCode
		}
		return read(string(text)), res.StatusCode
	}
	origin := "http://" + p.addr["origin.listen"] + "/obs/config"
	const canvas = `"preferences":{"canvases":[{"width":1280,"height":720,"framerate":{"numerator":30,"denominator":1}}]}`
	if c, _ := ask("POST", origin, `{"authentication":"shop-42-sej4qek74cw45i47",`+canvas+`}`); c.Status.Result != "success" || len(c.Video) != 3 || len(c.Endpoints) != 1 {
		t.Errorf("OBS is told %+v", c)
	}
	if c, _ := ask("POST", origin, `{"authentication":"shop-42-wrong",`+canvas+`}`); c.Status.Result != "error" || !strings.Contains(c.Status.HTML, "not valid") || len(c.Video) != 0 {
		t.Errorf("OBS with a wrong key is told %+v", c)
	}
	if c, _ := ask("POST", origin, `{"authentication":"shop-42-sej4qek74cw45i47@fr",`+canvas+`}`); c.Status.Result != "error" {
		t.Errorf("OBS with an interpreter's key is told %+v", c)
	}
	if c, _ := ask("GET", "http://"+p.addr["admin.listen"]+"/v1/streams/live/shop-42/obs?size=720x1280", ""); len(c.Video) != 3 || c.Video[0].Width != 720 {
		t.Errorf("operators are told %+v", c)
	}
	if _, code := ask("GET", origin+"/more", ""); code != http.StatusNotFound {
		t.Errorf("below the path: %d", code)
	}
}
