#!/usr/bin/env python3
"""A shop with a cart in the session, and orders in a file."""

import time

from cgikit import FileStore, Request, Response, append_line, escape, fields, run

ORDERS = "data/orders.txt"
GOODS = {  # by number: name, price in cents
    "101": ("Camel, plush", 1450),
    "102": ('Mug "use strict"', 890),
    "103": ("Pearls & oysters (DVD)", 1995),
}

PAGE = """<!DOCTYPE html>
<html lang="en"><meta name="viewport" content="width=device-width"><title>Shop</title>
<style>label, textarea {{ display: block; margin-top: .5rem }}</style>
<main><h1>Shop</h1>
<p>{message}</p>
{goods}
<h2>Cart</h2>
{cart}
</main>"""


def shop(request: Request):
    cart = request.session.get("cart", {})  # number: pieces
    message = "Thank you for your order." if "ordered" in request.query else ""
    if request.method == "POST":
        request.session.check_csrf(request.form.get("csrf"))
        message, query = act(request.form, cart)
        request.session["cart"] = cart
        if not message:
            return Response.redirect(request.url(base=False, query=query))
    return PAGE.format(
        message=message,
        goods="\n".join(good(request, number) for number in GOODS),
        cart=fields.form(request, *content(request, cart)),
    )


def act(form, cart):
    """Do what the button says; return what is wrong, and the query of the page that follows."""
    do = form.getchoice("do", ["Add", "Change", "Order"])
    if do == "Add":
        number = form.getchoice("number", GOODS)
        cart[number] = cart.get(number, 0) + 1
    elif do == "Change":
        for number in list(cart):
            cart[number] = form.getint(f"pieces{number}", default=cart[number], min=0, max=99)
            if not cart[number]:
                del cart[number]
    elif not cart:
        return "The cart is empty.", False
    elif not (address := " ".join(form.get("address", "").split())):
        return "Please enter your address.", False
    else:
        pieces = [f"{cart[number]} x {number}" for number in sorted(cart)]
        append_line(ORDERS, "\t".join([str(int(time.time())), address, *pieces]))
        cart.clear()
        return "", {"ordered": 1}
    return "", False


def good(request: Request, number):
    name, price = GOODS[number]
    return fields.form(
        request,
        f"{escape(name)} {money(price)}",
        fields.hidden(request, "number", number),
        fields.button(request, "do", value="Add", label="Add"),
    )


def content(request: Request, cart):
    """Yield the fields of the cart."""
    for number in sorted(cart):
        name, price = GOODS[number]
        yield fields.text(None, f"pieces{number}", cart[number], label=name, size=2)
        yield money(price * cart[number])
    yield f"<p>Total {money(sum(GOODS[number][1] * cart[number] for number in cart))}</p>"
    yield fields.button(request, "do", value="Change", label="Change")
    yield fields.textarea(request, "address", label="Address", rows=3)
    yield fields.button(request, "do", value="Order", label="Order")


def money(cents):
    return f"{cents // 100}.{cents % 100:02d}"


if __name__ == "__main__":
    run(shop, sessions=FileStore("data/sessions"))
