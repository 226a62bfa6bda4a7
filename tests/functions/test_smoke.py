def test_round(alice, bob):
    r = alice.create(title=" x ")
    print(r.status_code, r.headers, r.text)
    assert r.status_code == 201
    i = r.json()["id"]
    for x in [alice.get(i), alice.get(i, If_None_Match='"1"'), alice.update(i, {"title":"y"}), alice.update(i, {"title":"y"}), alice.update(i, {"title":"z"}, If_Match='"1"'),
        alice.update(i, {"title":"z"}, If_Match='"2"'), alice.toggle(i), alice.toggle(i,{"completed":True}), alice.list(), alice.list(limit=0), alice.list(foo=1), bob.get(i), bob.list(), bob.toggle(i), bob.update(i,{"title":"q"}), bob.delete(i),
        alice.request("GET","/abc"), alice.request("POST","/1"), alice.delete(i,If_Match='"1"'), alice.delete(i), alice.delete(i), alice.api.get("/health"), alice.api.get("/nope"), alice.api.get(bob.path), bob.api.get(bob.path,headers={"Authorization":"Bearer "+alice.token})]:
        print(x.status_code, dict(x.headers), x.text)
    for k in range(5): alice.create(title=f"t{k}")
    r=alice.list(limit=2, sort="title"); print(r.headers["link"], r.text)
    r=alice.request("GET", r.headers["link"].split(">")[0].split("tasks")[1]); print(r.headers, r.text)
    r=alice.list(limit=2, completed="false"); print(r.headers["link"], r.text)
    r=alice.request("GET", r.headers["link"].split(">")[0].split("tasks")[1]); print(r.headers, r.text)
    assert 0
