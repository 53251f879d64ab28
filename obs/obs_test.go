package obs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// posted is what OBS 32 posts from a Windows machine with an NVIDIA GPU, shortened where it does not matter.
const posted = `{"authentication":"key-1?bandwidthtest=true","capabilities":{"cpu":{"logical_cores":16,"name":"AMD Ryzen 7","physical_cores":8,"speed":3600},
"gaming_features":null,"gpu":[{"dedicated_video_memory":8589934592,"device_id":9348,"driver_version":"32.0.15.6094","model":"NVIDIA GeForce RTX 3070","shared_system_memory":1,"vendor_id":4318}],
"memory":{"free":1,"total":2},"system":{"arm":false,"armEmulation":false,"bits":64,"build":26100,"name":"Windows","release":"24H2","revision":"1","version":"10.0"}},
"client":{"name":"obs-studio","supported_codecs":["h264","h265","av1"],"version":"32.2.2"},
"preferences":{"audio_channels":2,"audio_fixed_buffering":false,"audio_max_buffering_ms":960,"audio_samples_per_sec":48000,
"canvases":[{"canvas_height":1080,"canvas_width":1920,"framerate":{"denominator":1,"numerator":60},"height":1080,"width":1920}],
"composition_gpu_index":0,"maximum_aggregate_bitrate":null,"maximum_video_tracks":null,"vod_track_audio":false},"schema_version":"2025-01-25","service":"IVS"}`

// posted30 is what OBS 30.2 posts, from Linux.
const posted30 = `{"authentication":"key-1","capabilities":{"cpu":{"logical_cores":4,"name":null,"physical_cores":4,"speed":null},"gaming_features":null,"gpu":null,
"memory":{"free":1,"total":2},"system":{"arm":false,"armEmulation":false,"bits":64,"build":0,"name":"Debian GNU/Linux","release":"13","revision":0,"version":"6.12"}},
"client":{"name":"obs-studio","supported_codecs":["h264"],"version":"30.2.3"},
"preferences":{"canvas_height":1280,"canvas_width":720,"composition_gpu_index":0,"framerate":{"denominator":1001,"numerator":30000},"height":1280,
"maximum_aggregate_bitrate":3000,"maximum_video_tracks":2,"vod_track_audio":true,"width":720},"schema_version":"2024-06-04","service":"IVS"}`

var ladder = []Rung{{480, 1_200_000, 30, ""}, {720, 2_500_000, 0, "hevc"}, {360, 700_000, 0, ""}, {2160, 20_000_000, 0, ""}}

// server returns one whose only key is key-1, of show-1.
func server() *Server {
	return NewServer(func(key string, from netip.Addr) (string, error) {
		if key != "key-1" || !from.IsValid() {
			return "", errors.New("The stream key is <not> valid.")
		}
		return "show-1", nil
	}, func(name string) []Rung {
		if name == "show-1" {
			return ladder
		}
		return nil
	}, func(host string) []Endpoint {
		return []Endpoint{{"RTMPS", "rtmps://" + host + ":1936/live/{stream_key}"}, {"RTMP", "rtmp://" + host + ":1935/live/{stream_key}"}}
	})
}

func ask(t *testing.T, method, target, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	w := httptest.NewRecorder()
	server().ServeHTTP(w, r)
	return w
}

// read reads an answer as OBS does, by its rules about what must be there
// (frontend/utility/models/multitrack-video.hpp of OBS 30.2 to 32.2).
func read(t *testing.T, body []byte) Config {
	t.Helper()
	must := func(v any, keys ...string) map[string]any {
		o, ok := v.(map[string]any)
		if !ok {
			t.Fatalf("%v is no object", v)
		}
		for _, key := range keys {
			if _, ok := o[key]; !ok {
				t.Errorf("%v has no %q", o, key)
			}
		}
		return o
	}
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	root := must(v, "meta", "ingest_endpoints", "encoder_configurations", "audio_configurations")
	must(root["meta"], "service", "schema_version", "config_id")
	for _, e := range root["encoder_configurations"].([]any) {
		must(must(e, "type", "width", "height", "settings")["framerate"], "numerator", "denominator")
	}
	audio := must(root["audio_configurations"], "live")
	for _, list := range audio {
		for _, a := range list.([]any) {
			must(a, "codec", "track_id", "channels", "settings")
		}
	}
	var c Config
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		t.Fatal(err)
	}
	return c
}

// describe says what an answer asks OBS to encode.
func describe(c Config) (s []string) {
	for _, v := range c.Video {
		s = append(s, fmt.Sprintf("%s %dx%d %d/%d %v", v.Type, v.Width, v.Height, v.Framerate.Numerator, v.Framerate.Denominator, v.Settings["bitrate"]))
	}
	return s
}

func TestAnswers(t *testing.T) {
	for _, test := range []struct {
		name, body string
		want       []string
	}{
		{"OBS 32", posted, []string{"obs_nvenc_hevc_tex 1920x1080 60/1 4593", "obs_nvenc_hevc_tex 1280x720 60/1 2500", "obs_nvenc_h264_tex 854x480 60/2 1200", "obs_nvenc_h264_tex 640x360 60/1 700"}},
		{"OBS 30.2, portrait, with wishes", posted30, []string{"obs_x264 360x640 30000/1001 700"}},
		{"OBS 30.2, portrait", strings.Replace(strings.Replace(posted30, "3000,", "null,", 1), `tracks":2`, `tracks":3`, 1),
			[]string{"obs_x264 720x1280 30000/1001 2500", "obs_x264 480x854 30000/1001 1200", "obs_x264 360x640 30000/1001 700"}},
		{"OBS that lists its encoders", strings.Replace(posted, `"supported_codecs"`, `"supported_encoders":["obs_x264","h264_texture_amf"],"supported_codecs"`, 1),
			[]string{"h265_texture_amf 1920x1080 60/1 4593", "h265_texture_amf 1280x720 60/1 2500", "h264_texture_amf 854x480 60/2 1200", "h264_texture_amf 640x360 60/1 700"}},
		{"OBS on a Mac", strings.Replace(strings.Replace(posted, `"arm":false`, `"arm":true`, 1), "Windows", "macOS", 1),
			[]string{"com.apple.videotoolbox.videoencoder.ave.hevc 1920x1080 60/1 4593", "com.apple.videotoolbox.videoencoder.ave.hevc 1280x720 60/1 2500",
				"com.apple.videotoolbox.videoencoder.ave.avc 854x480 60/2 1200", "com.apple.videotoolbox.videoencoder.ave.avc 640x360 60/1 700"}},
		{"OBS 30 with NVIDIA and H.264 only", strings.NewReplacer("32.2.2", "30.2.3", `"h265",`, "").Replace(posted),
			[]string{"jim_nvenc 1920x1080 60/1 4593", "jim_nvenc 1280x720 60/1 2500", "jim_nvenc 854x480 60/2 1200", "jim_nvenc 640x360 60/1 700"}},
	} {
		w := ask(t, "POST", "http://shows.example:8080"+Path, test.body)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
			t.Fatalf("%s: %d %s", test.name, w.Code, w.Body)
		}
		c := read(t, w.Body.Bytes())
		if got := describe(c); !slices.Equal(got, test.want) {
			t.Errorf("%s: got\n%q, want\n%q", test.name, got, test.want)
		}
		if c.Status.Result != "success" || c.Endpoints[1].URLTemplate != "rtmp://shows.example:1935/live/{stream_key}" {
			t.Errorf("%s: %+v %+v", test.name, c.Status, c.Endpoints)
		}
		if wantVOD := strings.Contains(test.body, `"vod_track_audio":true`); wantVOD != (len(c.Audio.VOD) == 1) {
			t.Errorf("%s: recordings' sound is %+v", test.name, c.Audio.VOD)
		}
		for _, v := range c.Video {
			if v.Settings["keyint_sec"] != 2.0 || v.Settings["rate_control"] != "CBR" {
				t.Errorf("%s: %+v", test.name, v.Settings)
			}
		}
	}
}

// What a host can do something about is in the answer, where OBS shows it.
func TestRefusals(t *testing.T) {
	for body, want := range map[string]string{
		strings.Replace(posted, "key-1", "key-2", 1):                        "The stream key is &lt;not&gt; valid.",
		strings.Replace(posted, `"width":1920`, `"width":0`, 1):             "canvas",
		strings.Replace(posted, `"denominator":1,`, `"denominator":0,`, 1):  "canvas",
		strings.Replace(posted, `"numerator":60`, `"numerator":9000`, 1):    "canvas",
		strings.Replace(posted, `"height":1080`, `"height":2000000000`, -1): "canvas",
	} {
		w := ask(t, "POST", Path, body)
		c := read(t, w.Body.Bytes())
		if w.Code != http.StatusOK || c.Status.Result != "error" || !strings.Contains(c.Status.HTML, want) || len(c.Video) != 0 {
			t.Errorf("%d %+v, want %q", w.Code, c.Status, want)
		}
	}
	for _, test := range []struct {
		method, target, body string
		code                 int
	}{
		{"POST", Path, "", 400},
		{"POST", Path, "[]", 400},
		{"POST", Path, `{"client":` + strings.Repeat(" ", maxRequest) + `{}}`, 400},
		{"PUT", Path, posted, 405},
		{"GET", Path + "?size=big", "", 400},
		{"GET", Path + "?size=10x10", "", 400},
		{"GET", Path + "?fps=0", "", 400},
		{"GET", Path + "?fps=NaN", "", 400},
		{"GET", Path + "?encoder=abacus", "", 400},
	} {
		if w := ask(t, test.method, test.target, test.body); w.Code != test.code {
			t.Errorf("%s %s: %d %s", test.method, test.target, w.Code, w.Body)
		}
	}
}

func TestPaste(t *testing.T) {
	for target, want := range map[string][]string{
		"?name=show-1": {"obs_x264 1920x1080 30/1 4593", "obs_x264 1280x720 30/1 2500", "obs_x264 854x480 30/1 1200", "obs_x264 640x360 30/1 700"},
		"?name=show-1&size=720x1280&fps=29.97&encoder=nvenc": {"obs_nvenc_hevc_tex 720x1280 30000/1001 2500", "obs_nvenc_h264_tex 480x854 30000/1001 1200", "obs_nvenc_h264_tex 360x640 30000/1001 700"},
		"?name=other&fps=60000/1001":                         {"obs_x264 1920x1080 60000/1001 4593", "obs_x264 1280x720 60000/1001 2500", "obs_x264 854x480 60000/1001 1200", "obs_x264 640x360 60000/1001 700"},
	} {
		w := ask(t, "GET", "http://[::1]:8080"+Path+target, "")
		c := read(t, w.Body.Bytes())
		if got := describe(c); !slices.Equal(got, want) {
			t.Errorf("%s: got\n%q, want\n%q", target, got, want)
		}
		if strings.Contains(w.Body.String(), "key-1") || c.Status != nil || c.Meta.ConfigID != "" {
			t.Errorf("%s: %s", target, w.Body)
		}
	}
}

func TestRenditionsKeepWithinBounds(t *testing.T) {
	var many []Rung
	for i := range 20 {
		many = append(many, Rung{ShortSide: 100 + 20*i, BitRate: 100_000 * (i + 1)})
	}
	list := renditions(many, usual, 0, 0)
	if len(list) != maxTracks || list[0].height != 1080 || list[maxTracks-1].height != 100 {
		t.Errorf("%+v", list)
	}
	if list := renditions(many, usual, 0, 1); len(list) != 1 || list[0].height != 1080 {
		t.Errorf("%+v", list)
	}
	if list := renditions(many, usual, 1_000_000, 0); sum(list) > 1_000_000 || len(list) < 2 {
		t.Errorf("%+v", list)
	}
	if list := renditions(nil, usual, 1, 0); len(list) != 1 || list[0].rate != minRate {
		t.Errorf("%+v", list)
	}
}

func FuzzPost(f *testing.F) {
	f.Add([]byte(posted))
	f.Add([]byte(posted30))
	f.Fuzz(func(t *testing.T, body []byte) {
		w := ask(t, "POST", Path, string(bytes.Replace(body, []byte("key-2"), []byte("key-1"), 1)))
		if w.Code != http.StatusOK {
			return
		}
		c := read(t, w.Body.Bytes())
		if len(c.Video) > maxTracks || c.Status.Result == "success" && len(c.Video) == 0 {
			t.Errorf("%s", w.Body)
		}
		for _, v := range c.Video {
			rate := v.Settings["bitrate"].(float64)
			if v.Type == "" || v.Width%2 != 0 || v.Height%2 != 0 || v.Width < 2 || v.Height < 2 || v.Framerate.Numerator < 1 || v.Framerate.Denominator < 1 || rate < 1 {
				t.Errorf("%+v", v)
			}
		}
	})
}
