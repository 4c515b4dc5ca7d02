"""The survey of a folder: one verdict for every file, refusals included."""

from codesign.graph.survey import main, survey
from tests.graph.test_channels_last import picture_net


def test_a_verdict_for_every_file(tmp_path, capsys):
    picture_net(1, True).save(tmp_path / "good.onnx")
    (tmp_path / "cut.onnx").write_bytes((tmp_path / "good.onnx").read_bytes()[:100])
    cut, good = survey(tmp_path)
    assert cut.text.startswith("refused") and good.text.startswith("exact")
    assert main([str(tmp_path)]) == 0
    assert "| good |" in capsys.readouterr().out
    assert main([]) == 2
    assert main([str(tmp_path), "many"]) == main([str(tmp_path), "0"]) == 2
